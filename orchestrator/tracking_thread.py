"""The tracking thread's work: live trials as far as MLflow answers, finished and failed ones from the store."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from orchestrator.events import Outcome
from orchestrator.mlflow_text import Child
from orchestrator.mlflow_writer import SweepWriter
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.sweep_members import record_sweep
from orchestrator.tracking_rebuild import Reader, first_line, sweep_status
from results.schema import HistoryRow
from results.store import Failure, Store
from search_spaces.errors import MmptError

__all__ = ["TrackingThread"]

_log = logging.getLogger(__name__)


class TrackingThread:
    """State and steps of the thread that writes; the driver only touches what has no underscore.

    What a finished trial shows is read from the store, so that nothing depends on an event that was lost. A trial
    that cannot be written waits and is tried again `retry_seconds` later and at the end of the sweep.
    """

    def __init__(self, store: Store, uri: str, sweep: str | None, retry_seconds: float) -> None:
        self.events: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self.given_up = threading.Event()
        self.written = self.already = 0
        self.error: str | None = None
        self.closed = False
        self.ended: set[str] = set()  # finished and failed trials, the driver's count
        self._store, self._uri, self._sweep, self._retry_seconds = store, uri, sweep, retry_seconds
        self._reader = Reader(store)
        self._outcome: Outcome | None = None
        self._planned: dict[str, PlannedTrial] = {}
        self._to_write: dict[str, str | None] = {}  # trial id -> its error if it failed; the next one first
        self._unreadable: set[str] = set()
        self._settled: set[str] = set()
        self._writer: SweepWriter | None = None
        self._quiet_until = 0.0

    @property
    def left(self) -> int:
        """How many events and trials still have to be written."""
        return self.events.qsize() + len(self._to_write)

    def unwritten(self) -> set[str]:
        """Ids of the trials that MLflow should have and lacks."""
        return (self.ended | self._unreadable) - self._settled

    def note_outcome(self, outcome: Outcome) -> None:
        """Keep how the sweep ended."""
        self._outcome = outcome

    def start_trial(self, trial: PlannedTrial) -> None:
        """Show a trial as running."""
        self._attempt(lambda writer: writer.begin(trial.trial_id, trial.spec))

    def extend_trial(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        """Show a running trial's new epochs."""
        self._attempt(lambda writer: writer.extend(trial.trial_id, trial.spec, rows))

    def drain(self) -> None:
        """Do what the queue says until it says None."""
        while not self.given_up.is_set():
            try:
                event = self.events.get(timeout=self._patience())
            except queue.Empty:
                self._write_next()
                continue
            if event is None:
                self._finish()
                return
            event()

    def _patience(self) -> float | None:
        """Seconds until there is something to do without a new event."""
        return max(0.0, self._quiet_until - time.monotonic()) if self._to_write else None

    def _attempt(self, write: Callable[[SweepWriter], None]) -> bool:
        """Call MLflow unless it failed a moment ago; after an error start again with a new writer."""
        if time.monotonic() < self._quiet_until:
            return False
        try:
            if self._writer is None:
                self._writer = SweepWriter(self._uri, self._store.root, self._sweep or "sweep")
            write(self._writer)
        except Exception as error:  # noqa: BLE001 (a view must never stop a sweep, whatever its drivers raise)
            self._quiet_until = time.monotonic() + self._retry_seconds
            self._writer = None
            self._warn(error)
            return False
        return True

    def _warn(self, error: Exception) -> None:
        if self.error is None:
            self.error = first_line(error)
            _log.warning("MLflow: %s; the sweep goes on, and what is missing can be written later", self.error)

    def start_sweep(self, plan: Plan) -> None:
        """Show the sweep, and note what earlier sweeps finished."""
        self._sweep = self._sweep or plan.name
        self._planned = {trial.trial_id: trial for trial in plan.trials}
        datasets = {trial.trial_id: trial.spec.dataset for trial in plan.trials}
        try:
            record_sweep(self._store.files, self._sweep, datasets)
        except (OSError, MmptError) as error:
            self._warn(error)
        for dataset in sorted(set(datasets.values())):
            self._attempt(partial(SweepWriter.reopen, dataset=dataset))
        self._to_write.update(dict.fromkeys((trial.trial_id for trial in plan.done), None))

    def end_trial(self, trial: PlannedTrial, error: str | None) -> None:
        """Write a finished or failed trial from the store."""
        self._planned.setdefault(trial.trial_id, trial)
        self._to_write = {trial.trial_id: error, **self._to_write}  # before the trials of earlier sweeps
        self._write_next()

    def _write_next(self) -> bool:
        """Write the first waiting trial; False if MLflow does not answer."""
        if time.monotonic() < self._quiet_until:
            return False
        trial_id, error = next(iter(self._to_write.items()))
        trial = self._planned[trial_id]
        try:
            child = self._child(trial, error)
        except Exception as problem:  # noqa: BLE001 (a damaged trial must not stop the others)
            self._warn(problem)
            self._unreadable.add(trial_id)
            del self._to_write[trial_id]
            return True
        known = trial.state == "done"

        def write(writer: SweepWriter) -> None:
            if known and writer.has(trial.spec.dataset, trial_id, child.error):
                self.already += 1
                return
            writer.put(child)
            self.written += 1

        if not self._attempt(write):
            return False
        self._settled.add(trial_id)
        del self._to_write[trial_id]
        return True

    def _child(self, trial: PlannedTrial, error: str | None) -> Child:
        if error is None:
            return self._reader.done(self._reader.record(trial.trial_id))
        return self._reader.failed(self._failure(trial, error))

    def _failure(self, trial: PlannedTrial, error: str) -> Failure:
        stored = self._store.failures().get(trial.trial_id)
        return stored or Failure(trial_id=trial.trial_id, error=error, traceback="", spec=trial.spec.to_config())

    def _finish(self) -> None:
        """Try once more what is left, even if MLflow failed a moment ago, then close the parents."""
        self._quiet_until = 0.0
        while self._to_write and not self.given_up.is_set() and self._write_next():
            pass
        done = self._outcome.done if self._outcome else frozenset[str]()
        failed = self._outcome.failed if self._outcome else {}
        datasets: dict[str, list[str]] = {}
        for trial_id, trial in self._planned.items():
            datasets.setdefault(trial.spec.dataset, []).append(trial_id)
        ends = [
            self._attempt(partial(SweepWriter.end, dataset=dataset, status=sweep_status(trial_ids, done, failed)))
            for dataset, trial_ids in datasets.items()
        ]
        self.closed = all(ends)
