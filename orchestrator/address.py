"""Checking the address of a Ray cluster without ray, before anything is started."""

import socket

from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["check_address"]

_ANSWER_SECONDS = 5.0


def check_address(address: str) -> None:
    """Make sure that something listens at a Ray address, before anything else starts.

    Raises:
        InvalidValueError: the address has no `host:port`.
        MmptError: nothing answers there.
    """
    if address == "auto":
        return
    place = address.removeprefix("ray://")
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidValueError("address", address, "host:port of a running cluster's head, or auto")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise MmptError(f"no Ray cluster answers at {address!r}: {error}") from error
