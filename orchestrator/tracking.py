"""Shows a sweep in MLflow while it runs, on threads of its own: a sweep never waits for MLflow."""

import threading
import time
from collections.abc import Callable, Sequence

from orchestrator.events import Listener, Outcome
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.tracking_keeper import SpoolKeeper
from orchestrator.tracking_rebuild import track
from orchestrator.tracking_spool import Spool
from orchestrator.tracking_summary import TrackingSummary, track_command
from orchestrator.tracking_thread import TrackingThread
from orchestrator.tracking_uri import tracking_uri
from results.schema import HistoryRow
from results.store import Store

__all__ = ["Tracker", "TrackingSummary", "track", "tracking_uri"]


class Tracker(Listener):
    """Writes a sweep's events to MLflow; its methods only note what happened, so they never wait and never raise.

    One thread writes to MLflow. Another puts into the store, under `tracking/`, what MLflow has not taken within a
    second of trials that are not finished: finished ones are there anyway.

    Args:
        store_root: absolute path or bucket URL of the sweep's results.
        uri: what `tracking_uri` returned, not "none".
        sweep: the sweep's name in MLflow; None takes the plan's.
        retry_seconds: how long MLflow is left alone after an error.
    """

    def __init__(self, store_root: str, uri: str, *, sweep: str | None = None, retry_seconds: float = 30.0) -> None:
        self._command = track_command(store_root, uri)
        self._store, self._uri, self._sweep, self._retry_seconds = Store(store_root), uri, sweep, retry_seconds

    def sweep_started(self, plan: Plan) -> None:
        """Show the sweep; trials that are done already are written when there is nothing else to do."""
        sweep = self._sweep or plan.name
        spool = Spool(self._store.files, sweep, self._uri)
        self._work = TrackingThread(
            self._store, plan, spool, uri=self._uri, sweep=sweep, retry_seconds=self._retry_seconds
        )
        self._keeper = SpoolKeeper(spool, self._work.live)
        self._thread = threading.Thread(target=self._work.work, name="mlflow-tracker", daemon=True)
        self._keeper.start()
        self._thread.start()

    def trial_started(self, trial: PlannedTrial) -> None:
        """Show the trial as running."""
        self._work.live.start(trial.trial_id, trial.spec)
        self._work.wake.set()

    def trial_progressed(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        """Add to the trial's curves."""
        self._work.live.extend(trial.trial_id, trial.spec, rows)
        self._work.wake.set()

    def trial_finished(self, trial: PlannedTrial) -> None:
        """Write the trial whole."""
        self._work.end_trial(trial, None)

    def trial_elsewhere(self, trial: PlannedTrial, holder: str) -> None:
        """Leave the trial to the sweep that trains it."""
        del holder
        self._work.live.end(trial.trial_id)

    def trial_found(self, trial: PlannedTrial) -> None:
        """Another sweep has trained the trial: make sure at the end that MLflow has it."""
        self._work.find_trial(trial)

    def trial_failed(self, trial: PlannedTrial, error: str) -> None:
        """Write the trial's error."""
        self._work.end_trial(trial, error)

    def sweep_ended(self, outcome: Outcome) -> None:
        """Write what is left, then the sweep's status."""
        self._work.outcome = outcome
        self._work.wake.set()

    @property
    def left(self) -> int:
        """How many trials MLflow lacks something of."""
        return self._work.left

    def close(self, timeout_seconds: float = 60.0, progress: Callable[[int], None] | None = None) -> TrackingSummary:
        """Wait until everything is written, at most `timeout_seconds`, and spool the rest.

        Args:
            timeout_seconds: the longest wait for MLflow.
            progress: told what is left, several times a second.
        """
        work = self._work
        deadline = time.monotonic() + timeout_seconds
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(min(0.2, max(0.0, deadline - time.monotonic())))
            if progress:
                progress(work.left)
        work.given_up.set()
        work.wake.set()
        error = work.mlflow.error
        if self._thread.is_alive():
            error = error or f"not done after {timeout_seconds:g} s"
        spooled = self._keeper.close()
        unfinished = bool(work.missing or spooled) or self._thread.is_alive() or not work.closed
        return TrackingSummary(
            written=work.written,
            already=work.already,
            missing=work.missing,
            spooled=spooled,
            error=error if unfinished else None,
            command=self._command,
        )
