"""Notices that a Ray cluster is gone, which Ray does not tell its driver.

Measured with ray 2.60: a driver whose raylet has died is told that its trials failed, then waits for actors without
end; a driver whose head (GCS) has died is blocked within Ray and ended by it after 60 s, with exit code 1.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

import ray
from ray.exceptions import RayError
from ray.tune import TuneError

from search_spaces.errors import SweepStoppedError

__all__ = ["ClusterGuard", "ClusterLostError"]

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 3.0
_DEAD_SECONDS = 3.0
_CUT_SECONDS = 40.0
"""A network cut or a head that is started again is waited for; Ray gives up after 60 s."""
_NOTICE_SECONDS = 30.0
_LEAVE_SECONDS = 10.0


class ClusterLostError(SweepStoppedError):
    """The cluster that a sweep runs on is gone."""


class _Part(NamedTuple):
    """A part of the cluster without which no driver can go on, and for how long it may be silent."""

    name: str
    host: str
    port: int
    patience_seconds: float


class ClusterGuard:
    """Notices from a thread that a cluster is gone, says so in `check`, and makes sure that the driver ends.

    As a context it spans the time from before the cluster is joined until after it was left. Errors of Ray's that come
    through it become a `SweepStoppedError`.

    Args:
        when_blocked: called in the guard's thread if Ray does not return to its caller any more; the process then ends,
            before Ray ends it.
    """

    def __init__(self, when_blocked: Callable[[], object]) -> None:
        self._when_blocked = when_blocked
        self._parts: tuple[_Part, ...] = ()
        self._left = threading.Event()
        self._noticed = threading.Event()
        self._lost = ""

    def __enter__(self) -> Self:
        return self

    def watch(self, address: str | None) -> None:
        """Begin to watch the cluster that was joined; `address` is None if it is our own, which nobody starts again."""
        self._parts = _vital_parts(address)
        threading.Thread(target=self._watch, name="cluster guard", daemon=True).start()

    def check(self) -> None:
        """Go on unless the cluster is gone.

        Raises:
            ClusterLostError: it is.
        """
        if self._lost:
            self._noticed.set()
            raise ClusterLostError(self._lost)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, RayError | TuneError | ConnectionError):
                self._wait_for_verdict()
                raise SweepStoppedError(f"Ray failed: {error}; what is done is kept") from error
        finally:
            self._left.set()

    def _wait_for_verdict(self) -> None:
        """Find out whether the cluster is gone, now that Ray has failed; raises like `check`."""
        deadline = time.monotonic() + 2 * (_DEAD_SECONDS + _LOOK_SECONDS)
        while self._parts and time.monotonic() < deadline:
            self.check()
            time.sleep(_LOOK_SECONDS / 4)

    def _watch(self) -> None:
        silent_since: dict[_Part, float] = {}
        while not self._left.wait(_LOOK_SECONDS):
            for part in self._parts:
                if _answers(part):
                    silent_since.pop(part, None)
                    continue
                began = silent_since.setdefault(part, time.monotonic())
                if time.monotonic() - began >= part.patience_seconds:
                    self._lost = f"the Ray cluster is lost: its {part.name} at {part.host}:{part.port} does not answer"
                    self._end_if_blocked(part)
                    return

    def _end_if_blocked(self, part: _Part) -> None:
        """Without a raylet Ray returns and can be left; without a head also leaving it may block."""
        if part.name == "raylet" and self._noticed.wait(_NOTICE_SECONDS):
            return
        if self._left.wait(_LEAVE_SECONDS):
            return
        _log.critical("mmpt: %s; what is done is kept, the same command goes on", self._lost)
        try:
            self._when_blocked()
        finally:
            os._exit(SweepStoppedError.exit_code)


def _vital_parts(address: str | None) -> tuple[_Part, ...]:
    """Return the head and this machine's raylet; nothing for a client of a remote driver, which Ray tells itself."""
    if address is not None and address.startswith("ray://"):
        return ()
    context = ray.get_runtime_context()
    host, _, port = context.gcs_address.rpartition(":")
    here = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    patience = _DEAD_SECONDS if address is None else _CUT_SECONDS
    return (
        _Part("head", host, int(port), patience),
        _Part("raylet", here["NodeManagerAddress"], int(here["NodeManagerPort"]), _DEAD_SECONDS),
    )


def _answers(part: _Part) -> bool:
    try:
        socket.create_connection((part.host, part.port), timeout=_ANSWER_SECONDS).close()
    except OSError:
        return False
    return True
