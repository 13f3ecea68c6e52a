"""Checking where a sweep is to run without ray, before anything is started."""

import os
import socket
from collections.abc import Mapping

import torch

from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["check_address", "check_fits"]

_ANSWER_SECONDS = 5.0


def check_fits(resources: Mapping[str, float]) -> None:
    """Make sure that this machine can hold one trial, before a local cluster is started.

    Raises:
        MmptError: it cannot.
    """
    here = {"cpus": float(os.cpu_count() or 1), "gpus": float(torch.cuda.device_count())}
    for name, need in resources.items():
        if need > here[name]:
            raise MmptError(f"one trial needs {need:g} {name}, this machine has {here[name]:g}")


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
