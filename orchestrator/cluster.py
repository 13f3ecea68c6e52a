"""Joining a Ray cluster: the one at the given address, or a local one of our own; never whatever happens to run."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import AuthenticationError

from search_spaces.errors import MmptError

__all__ = ["join", "joined_cluster", "leave"]

_OBJECT_STORE_BYTES = 100 * 1024**2  # trials exchange files, not objects
_TOKEN = "put the cluster's token into RAY_AUTH_TOKEN or ~/.ray/auth_token and set RAY_AUTH_MODE=token"  # noqa: S105


@contextmanager
def joined_cluster(address: str | None) -> Iterator[None]:
    """Join or start a cluster and leave it at the end.

    Raises:
        MmptError: the cluster cannot be joined.
    """
    join(address)
    try:
        yield
    finally:
        leave()


def join(address: str | None) -> None:
    """Join the cluster at an address; None starts a local one, which `leave` ends.

    Raises:
        MmptError: it is not there, or does not let us in.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    options = {"address": "local", **own} if address is None else {"address": address}
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except AuthenticationError as error:
        raise MmptError(f"the Ray cluster at {address!r} wants a token and there is none here; {_TOKEN}") from error
    except (ConnectionError, RuntimeError, ValueError) as error:
        # Ray says the same of a wrong token as of a process that is no Ray.
        hint = "" if address is None else f"; if it is there it may want a token or another one: {_TOKEN}"
        raise MmptError(f"no Ray cluster answers at {address or 'this machine'!r}: {error}{hint}") from error


def leave() -> None:
    """Leave the cluster that was joined."""
    ray.shutdown()
