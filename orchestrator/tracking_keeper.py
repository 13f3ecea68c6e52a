"""The thread that spools: what MLflow has not taken within a second is in the store, so that no death loses it."""

import logging
import threading
from collections.abc import Callable

from orchestrator.live_trials import LiveTrials
from orchestrator.tracking_spool import Spool
from search_spaces.errors import MmptError

__all__ = ["SpoolKeeper"]

_log = logging.getLogger(__name__)
_MOST_SEGMENTS = 50


class SpoolKeeper:
    """Keeps one driver's spool up to date while it tracks, on a thread that never talks to MLflow.

    Args:
        spool: where to.
        live: the driver's running trials.
        period_seconds: between two looks: what a killed driver may lose of a trial that never ends.
    """

    def __init__(self, spool: Spool, live: LiveTrials, period_seconds: float = 1.0) -> None:
        self._spool, self._live, self._period_seconds = spool, live, period_seconds
        self._stop = threading.Event()
        self._complained = False
        self._thread = threading.Thread(target=self._run, name="mlflow-spool", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_seconds: float = 10.0) -> int:
        """Spool what is left, end the thread, and return how many trials' curves MLflow lacks."""
        self._stop.set()
        self._thread.join(timeout_seconds)
        return len(self._live.behind())

    def _run(self) -> None:
        while not self._stop.wait(self._period_seconds):
            self._try(self._look)
        self._try(self._look)
        self._try(self._spool.leave)

    def _try(self, step: Callable[[], None]) -> None:
        """Do one step; a store that cannot be written is not this thread's to report more than once."""
        try:
            step()
        except (OSError, MmptError) as error:
            if not self._complained:
                self._complained = True
                _log.warning("the store cannot keep what MLflow lacks: %s", error)

    def _look(self) -> None:
        self._spool.beat()
        behind = self._live.behind()
        if not behind:
            self._spool.clear()
            for live in self._live.all():
                live.kept = None
            return
        fold = self._spool.segments >= _MOST_SEGMENTS
        new = {live: len(live.points) for live in behind if fold or live.kept is None or live.kept < len(live.points)}
        if new:
            self._spool.keep({live: tuple(live.points[live.first_unkept(fold) : end]) for live, end in new.items()})
            for live, end in new.items():
                live.kept = end
        if fold:
            self._spool.clear(keep_last=1)
