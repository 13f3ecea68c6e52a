"""A writer to MLflow that survives errors: it says that a call failed, waits, and starts again from what MLflow has."""

import logging
import time
from collections.abc import Callable

from orchestrator.mlflow_writer import SweepWriter
from orchestrator.tracking_summary import first_line

__all__ = ["PatientWriter"]

_log = logging.getLogger(__name__)


class PatientWriter:
    """Makes a `SweepWriter` when one is needed, and a new one after an error. Nothing here raises.

    Args:
        make: makes a writer; may raise what MLflow raises.
        retry_seconds: how long MLflow is left alone after an error.
    """

    def __init__(self, make: Callable[[], SweepWriter], retry_seconds: float) -> None:
        self.error: str | None = None
        self.renewed = 0  # how many writers were lost
        self._make, self._retry_seconds = make, retry_seconds
        self._writer: SweepWriter | None = None
        self._quiet_until = 0.0

    @property
    def pause_seconds(self) -> float:
        """Seconds until MLflow is to be tried again."""
        return max(0.0, self._quiet_until - time.monotonic())

    def hurry(self) -> None:
        """Try at once whatever happened."""
        self._quiet_until = 0.0

    def attempt(self, call: Callable[[SweepWriter], object]) -> bool:
        """Call MLflow unless it is left alone at present; False if nothing came of it."""
        if self.pause_seconds:
            return False
        try:
            if self._writer is None:
                self._writer = self._make()
            call(self._writer)
        except Exception as error:  # noqa: BLE001 (a view must never stop a sweep, whatever its drivers raise)
            self._quiet_until = time.monotonic() + self._retry_seconds
            self._writer = None
            self.renewed += 1
            self.warn(error)
            return False
        return True

    def warn(self, error: Exception) -> None:
        """Tell the user of the first error only."""
        if self.error is None:
            self.error = first_line(error)
            _log.warning("MLflow: %s; the sweep goes on, and what is missing can be written later", self.error)
