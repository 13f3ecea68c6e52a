"""Writes the trials of one sweep to MLflow: the one place that talks to it, for live tracking and for rebuilding."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator import mlflow_text as text
from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_find import PARENT, Folder, MlflowRun, look_up, open_folder
from orchestrator.mlflow_text import Child, TimedPoint
from orchestrator.tracking_uri import artifact_location
from search_spaces.spec import TrialSpec

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["SweepWriter"]

_METRICS_PER_BATCH, _PARAMS_PER_BATCH = 800, 100  # together at most 1,000 values a batch


class SweepWriter:
    """One MLflow experiment per data set, one parent per sweep, one child per trial, each found again by its tags.

    Every method raises what MLflow raises. After an error use a new writer, or `forget` the trial: then it is looked
    up again. Threads may share a writer as long as each trial is one thread's.

    Args:
        uri: where MLflow is.
        store_root: the store's root; its name is that of MLflow's artifacts if no server keeps them.
        sweep: the sweep's name.
        alone: nobody else writes this sweep, so that a child which was not there at first is not there now.
    """

    def __init__(self, uri: str, store_root: str, sweep: str, *, alone: bool = False) -> None:
        self._client: MlflowClient = connect(uri)
        self._artifacts = artifact_location(uri, store_root)
        self._sweep, self._alone = sweep, alone
        self._lock = threading.Lock()
        self._folders: dict[str, Folder] = {}
        self._unsure: set[str] = set()

    def has(self, dataset: str, trial_id: str, error: str | None = None) -> bool:
        """Tell whether a trial's child is whole and says the same: finished, or failed with this error."""
        run = self._child(dataset, trial_id)
        return run is not None and run.complete and run.error == error

    def forget(self, dataset: str, trial_id: str) -> None:
        """Trust nothing that is remembered of a trial: a call that failed may have done its work."""
        folder = self._folders.get(dataset)
        if folder is not None:
            folder.children.pop(trial_id, None)
        self._unsure.add(trial_id)

    def reopen(self, dataset: str) -> None:
        """Show the sweep as running."""
        folder = self._folder(dataset)
        if folder.parent_status != "RUNNING":
            self._client.update_run(folder.parent_id, status="RUNNING")
            folder.parent_status = "RUNNING"

    def begin(self, trial_id: str, spec: TrialSpec) -> MlflowRun:
        """Show a trial as running; the curves of an attempt that was interrupted go on."""
        run = self._child(spec.dataset, trial_id)
        if run is None or run.complete:
            run = self._create(trial_id, spec, seconds=0.0)
        if not run.described:
            self._log(run.run_id, (), text.params(spec), {})
            run.described = True
        if run.status != "RUNNING":
            self._client.update_run(run.run_id, status="RUNNING")
            run.status = "RUNNING"
        return run

    def extend(self, trial_id: str, spec: TrialSpec, points: Sequence[TimedPoint]) -> None:
        """Add points to a running trial's curves; those that MLflow has are not doubled."""
        run = self._folder(spec.dataset).children.get(trial_id)
        if run is None or run.complete or run.status != "RUNNING":
            run = self.begin(trial_id, spec)
        self._log(run.run_id, points, {}, {})
        if run.points is not None:
            run.points |= {point[:2]: point.value for point in points}

    def kill(self, dataset: str, trial_id: str) -> None:
        """A trial that was shown as running was interrupted."""
        run = self._child(dataset, trial_id)
        if run is not None and not run.complete and run.status == "RUNNING":
            self._client.set_terminated(run.run_id, "KILLED")
            run.status = "KILLED"

    def put(self, child: Child) -> None:
        """Write a finished or failed trial whole; curves that were written live are kept if they are the same."""
        run = self._child(child.spec.dataset, child.trial_id)
        tags = child.tags
        if run is None or not _continues(run, child):
            run, tags = self._create(child.trial_id, child.spec, seconds=child.seconds, tags=tags), {}
        written, now = run.points or {}, round(time.time() * 1000)
        left = (TimedPoint(*key, value, now) for key, value in child.points.items() if key not in written)
        self._log(run.run_id, left, text.params(child.spec), {**tags, text.COMPLETE: "true"})
        run.status, run.error = ("FAILED" if child.error else "FINISHED"), child.error
        self._client.set_terminated(run.run_id, run.status)
        run.complete = True

    def end(self, dataset: str, status: str) -> None:
        """Give the parent its status; children that are still running will not go on, so they become KILLED.

        All children are looked up again, which also deletes what two drivers may have made twice.
        """
        with self._lock:
            self._folders.pop(dataset, None)
        folder = self._folder(dataset)
        for trial_id in list(folder.children):
            self.kill(dataset, trial_id)
        if folder.parent_status != status:
            self._client.set_terminated(folder.parent_id, status)
            folder.parent_status = status

    # -- finding and creating ----------------------------------------------------------------------------------------

    def _folder(self, dataset: str) -> Folder:
        with self._lock:
            if dataset not in self._folders:
                self._folders[dataset] = open_folder(self._client, self._sweep, dataset, self._artifacts)
            return self._folders[dataset]

    def _child(self, dataset: str, trial_id: str) -> MlflowRun | None:
        folder = self._folder(dataset)
        found = folder.children.get(trial_id)
        if found is None and (not self._alone or trial_id in self._unsure):
            found = look_up(self._client, folder, trial_id)
            self._unsure.discard(trial_id)
        return found

    def _create(
        self, trial_id: str, spec: TrialSpec, *, seconds: float, tags: Mapping[str, str] | None = None
    ) -> MlflowRun:
        folder = self._folder(spec.dataset)
        old = folder.children.pop(trial_id, None)
        if old is not None:
            self._client.delete_run(old.run_id)
        tags = {**text.spec_tags(trial_id, spec, self._sweep), PARENT: folder.parent_id, **(tags or {})}
        start = round((time.time() - seconds) * 1000)
        made = self._client.create_run(folder.id, start_time=start, tags=tags, run_name=text.run_name(spec))
        run = MlflowRun(run_id=made.info.run_id, status="RUNNING", complete=False, error=None, points={}, spec=spec)
        folder.children[trial_id] = run
        return run

    def _log(
        self, run_id: str, points: Iterable[TimedPoint], params: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        """Log in batches within MLflow's limits; the last batch's tags come last of all."""
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 (seconds)

        metrics = [Metric(name, value, time_ms, step) for name, step, value, time_ms in points]
        pairs = [Param(name, value) for name, value in params.items()]
        labels = [RunTag(name, value) for name, value in tags.items()]
        while metrics or pairs or labels:
            last = len(metrics) <= _METRICS_PER_BATCH and len(pairs) <= _PARAMS_PER_BATCH
            self._client.log_batch(
                run_id, metrics[:_METRICS_PER_BATCH], pairs[:_PARAMS_PER_BATCH], labels if last else []
            )
            if last:
                return
            metrics, pairs = metrics[_METRICS_PER_BATCH:], pairs[_PARAMS_PER_BATCH:]


def _continues(run: MlflowRun, child: Child) -> bool:
    """Tell whether what was written live is a part of the child, so that only the rest has to be added."""
    if run.points is None or run.complete or run.spec != child.spec:
        return False
    return all(child.points.get(key) == value for key, value in run.points.items())
