"""Shows a sweep in MLflow while it runs. The only writer, in the driver, behind a queue: a sweep never waits for it."""

import threading
import time
from collections.abc import Callable, Sequence

from orchestrator.events import Listener, Outcome
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.tracking_rebuild import TrackingSummary, track, track_command
from orchestrator.tracking_thread import TrackingThread
from orchestrator.tracking_uri import tracking_uri
from results.schema import HistoryRow
from results.store import Store

__all__ = ["Tracker", "TrackingSummary", "track", "tracking_uri"]


class Tracker(Listener):
    """Writes a sweep's events to MLflow on a thread of its own; its methods never wait and never raise.

    Args:
        store_root: absolute path or bucket URL of the sweep's results.
        uri: what `tracking_uri` returned, not "none".
        sweep: the sweep's name in MLflow; None takes the plan's.
        retry_seconds: how long MLflow is left alone after an error.
    """

    def __init__(self, store_root: str, uri: str, *, sweep: str | None = None, retry_seconds: float = 30.0) -> None:
        self._command = track_command(store_root, uri)
        self._work = TrackingThread(Store(store_root), uri, sweep, retry_seconds)
        self._thread = threading.Thread(target=self._work.drain, name="mlflow-tracker", daemon=True)
        self._thread.start()

    def sweep_started(self, plan: Plan) -> None:
        """Show the sweep; trials that are done already are written when there is nothing else to do."""
        self._work.events.put(lambda: self._work.start_sweep(plan))

    def trial_started(self, trial: PlannedTrial) -> None:
        """Show the trial as running."""
        self._work.events.put(lambda: self._work.start_trial(trial))

    def trial_progressed(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        """Add to the trial's curves."""
        kept = tuple(rows)
        self._work.events.put(lambda: self._work.extend_trial(trial, kept))

    def trial_finished(self, trial: PlannedTrial) -> None:
        """Write the trial whole."""
        self._work.ended.add(trial.trial_id)
        self._work.events.put(lambda: self._work.end_trial(trial, None))

    def trial_found(self, trial: PlannedTrial) -> None:
        """Write the trial whole, which another sweep has trained."""
        self.trial_finished(trial)

    def trial_failed(self, trial: PlannedTrial, error: str) -> None:
        """Write the trial's error."""
        self._work.ended.add(trial.trial_id)
        self._work.events.put(lambda: self._work.end_trial(trial, error))

    def sweep_ended(self, outcome: Outcome) -> None:
        """Write what is left, then the sweep's status."""
        self._work.ended |= {*outcome.done, *outcome.failed}
        self._work.events.put(lambda: self._work.note_outcome(outcome))
        self._work.events.put(None)

    @property
    def left(self) -> int:
        """How many events and trials still have to be written."""
        return self._work.left

    def close(self, timeout_seconds: float = 60.0, progress: Callable[[int], None] | None = None) -> TrackingSummary:
        """Wait until everything is written, at most `timeout_seconds`; `progress` is told what is left."""
        work = self._work
        work.events.put(None)
        deadline = time.monotonic() + timeout_seconds
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(min(0.2, max(0.0, deadline - time.monotonic())))
            if progress:
                progress(work.left)
        work.given_up.set()
        error = work.error
        if self._thread.is_alive():
            error = error or f"not done after {timeout_seconds:g} s"
        missing = len(work.unwritten())
        unfinished = bool(missing) or self._thread.is_alive() or not work.closed
        return TrackingSummary(
            written=work.written,
            already=work.already,
            missing=missing,
            error=error if unfinished else None,
            command=self._command,
        )
