"""The tracking thread's work: brings MLflow up to what the driver knows, whenever MLflow answers."""

import threading
from collections import deque
from functools import partial

from threadpoolctl import threadpool_limits

from orchestrator.events import Outcome
from orchestrator.live_sender import LiveSender
from orchestrator.live_trials import LiveTrials
from orchestrator.mlflow_writer import SweepWriter
from orchestrator.patient_writer import PatientWriter
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.sweep_members import record_sweep
from orchestrator.tracking_interrupted import write_interrupted
from orchestrator.tracking_reader import Reader
from orchestrator.tracking_spool import Spool, other_writers
from orchestrator.tracking_summary import sweep_status
from results.store import Store
from search_spaces.errors import MmptError

__all__ = ["TrackingThread"]

_LAST_TRIES = 3  # at the end, errors in a row after which MLflow counts as gone


class TrackingThread:
    """State and steps of the thread that writes; the driver only touches what has no underscore.

    There is no queue of events, which could be lost or grow: the thread compares what the driver knows (`live` and
    ended trials) with what MLflow has taken. What a finished trial shows is read from the store.
    """

    def __init__(self, store: Store, plan: Plan, spool: Spool, *, uri: str, sweep: str, retry_seconds: float) -> None:
        self.wake = threading.Event()
        self.given_up = threading.Event()
        self.live = LiveTrials()
        self.outcome: Outcome | None = None
        self.written = self.already = 0
        self.closed = False
        self.mlflow = PatientWriter(lambda: SweepWriter(uri, store.root, sweep), retry_seconds)
        self._sender = LiveSender(self.live, self.mlflow)
        self._store, self._uri, self._sweep, self._spool = store, uri, sweep, spool
        self._reader = Reader(store)
        self._planned = {trial.trial_id: trial for trial in plan.trials}
        self._to_open = sorted({trial.spec.dataset for trial in plan.trials})
        self._ended: dict[str, str | None] = {}  # trial id -> its error if it failed; the next one first
        self._earlier = [trial.trial_id for trial in plan.done]  # written when there is nothing else to do
        self._shared = set(self._earlier)  # trials that other drivers may be writing too
        self._lacking = set(self._earlier)  # finished and failed trials that MLflow lacks

    # -- called by the driver ----------------------------------------------------------------------------------------

    def end_trial(self, trial: PlannedTrial, error: str | None) -> None:
        """A trial finished or failed: write it from the store."""
        self._planned.setdefault(trial.trial_id, trial)
        self._lacking.add(trial.trial_id)
        self._ended[trial.trial_id] = error
        self.live.end(trial.trial_id)
        self.wake.set()

    def find_trial(self, trial: PlannedTrial) -> None:
        """A trial was trained by another sweep, which writes it too: at the end, look whether it did."""
        self.live.end(trial.trial_id)
        self._shared.add(trial.trial_id)
        self._lacking.add(trial.trial_id)

    @property
    def left(self) -> int:
        """How many trials MLflow lacks something of, running ones included."""
        return self.missing + len(self.live.behind())

    @property
    def missing(self) -> int:
        """How many finished and failed trials MLflow should have and lacks."""
        return len(self._lacking)

    # -- the thread --------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Write until the sweep has ended or nobody waits any more."""
        self._begin()
        while not self.given_up.is_set():
            if self.outcome is not None:
                self._finish(self.outcome)
                return
            if self._step():
                continue
            waiting = self._to_open or self._ended or self._earlier or self.live.behind()
            self.wake.wait(max(self.mlflow.pause_seconds, self._sender.pause_seconds) if waiting else None)
            self.wake.clear()

    def _begin(self) -> None:
        """Note in the store who writes what; of several drivers the oldest writes what earlier sweeps have trained."""
        members = {trial.trial_id: trial.spec.dataset for trial in self._planned.values()}
        try:
            record_sweep(self._store.files, self._sweep, members)
            self._spool.beat()
            others = other_writers(self._store.files, self._sweep, self._uri, self._spool)
        except (OSError, MmptError) as error:
            self.mlflow.warn(error)
            return
        if others and others[0].since < self._spool.since:
            self._earlier = []

    def _step(self) -> bool:
        """Do the most urgent thing; False if there is none, or if MLflow does not answer."""
        if self.mlflow.pause_seconds:
            return False
        if self._to_open:
            opened = self.mlflow.attempt(partial(SweepWriter.reopen, dataset=self._to_open[0]))
            return opened and bool(self._to_open.pop(0))
        for trial_id in list(self._ended)[:1]:
            error = self._ended.pop(trial_id)
            if self._write(trial_id, error):
                return True
            self._ended.setdefault(trial_id, error)  # behind the others: MLflow may refuse just this one
            return False
        if self._sender.send_next():
            return True
        return bool(self._earlier) and self._write(self._earlier[0], None) and bool(self._earlier.pop(0))

    def _write(self, trial_id: str, error: str | None) -> bool:
        """Write a finished or failed trial unless MLflow has it; False if MLflow does not answer."""
        trial = self._planned[trial_id]
        found: list[bool] = []
        if not self.mlflow.attempt(lambda writer: found.append(writer.has(trial.spec.dataset, trial_id, error))):
            return False
        if found == [True]:
            self.already += 1
        else:
            try:
                with threadpool_limits(1, "blas"):  # else one that spins takes more of busy cores than the work itself
                    child = self._reader.ended(trial.trial_id, trial.spec, error)
            except Exception as problem:  # noqa: BLE001 (a damaged trial must not stop the others)
                self.mlflow.warn(problem)
                return True
            if not self.mlflow.attempt(lambda writer: writer.put(child)):
                return False
            self.written += 1
        self._lacking.discard(trial_id)
        return True

    # -- the end of the sweep ----------------------------------------------------------------------------------------

    def _finish(self, outcome: Outcome) -> None:
        """Try once more what is left, even if MLflow failed a moment ago; then show what will not go on as ended."""
        errors, left = 0, deque([*self._ended, *sorted(self._lacking - set(self._ended) - self._others_write())])
        while left and errors < _LAST_TRIES and not self.given_up.is_set():
            self.mlflow.hurry()
            written = self._write(left[0], outcome.failed.get(left[0]))
            errors = 0 if written else errors + 1
            left.rotate(-1)
            if written:
                left.pop()
        self.mlflow.hurry()
        for live in self.live.all():
            if self._sender.send(live) and self.mlflow.attempt(
                partial(SweepWriter.kill, dataset=live.spec.dataset, trial_id=live.trial_id)
            ):
                self.live.end(live.trial_id)
        self.closed = self.mlflow.attempt(lambda writer: self._close(writer, outcome))

    def _others_write(self) -> set[str]:
        """Return which trials are left to other drivers, which go on; MLflow is theirs to bring up to date."""
        try:
            others = other_writers(self._store.files, self._sweep, self._uri, self._spool)
        except OSError:  # the store does not answer: look at everything
            others = []
        left = self._lacking & self._shared if others else set()
        self._lacking -= left
        return left

    def _close(self, writer: SweepWriter, outcome: Outcome) -> None:
        """Give the parents their status, unless another driver goes on: then that is the last one's to do."""
        files = self._store.files
        if other_writers(files, self._sweep, self._uri, self._spool):
            return

        def ended(trial_id: str) -> bool:
            return trial_id in outcome.done or trial_id in outcome.failed or self._store.is_done(trial_id)

        write_interrupted(writer, files, self._sweep, self._uri, ended)
        for dataset in {trial.spec.dataset for trial in self._planned.values()}:
            ids = [trial_id for trial_id, trial in self._planned.items() if trial.spec.dataset == dataset]
            writer.end(dataset, sweep_status(ids, outcome.done, outcome.failed))
