"""Writes the trials of one sweep to MLflow: the one place that talks to it, for live tracking and for rebuilding."""

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from orchestrator import mlflow_text as text
from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_find import Folder, MlflowRun, open_folder
from orchestrator.mlflow_text import Child, Points
from orchestrator.tracking_uri import artifact_location
from results.schema import HistoryRow
from search_spaces.spec import TrialSpec

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["SweepWriter"]

_PARENT_TAG = "mlflow.parentRunId"
_METRICS_PER_BATCH, _PARAMS_PER_BATCH = 800, 100  # together at most 1,000 values a batch


class SweepWriter:
    """One MLflow experiment per data set, one parent per sweep, one child per trial, each found again by its tags.

    Every method raises what MLflow raises. After an error use a new writer: it looks up what was written.
    """

    def __init__(self, uri: str, store_root: str, sweep: str) -> None:
        self._client: MlflowClient = connect(uri)
        self._artifacts = artifact_location(uri, store_root)
        self._sweep = sweep
        self._folders: dict[str, Folder] = {}

    def has(self, dataset: str, trial_id: str, error: str | None = None) -> bool:
        """Tell whether a trial's child is whole and says the same: finished, or failed with this error."""
        run = self._folder(dataset).children.get(trial_id)
        return run is not None and run.complete and run.error == error

    def reopen(self, dataset: str) -> None:
        """Show the sweep as running."""
        self.end(dataset, "RUNNING")

    def begin(self, trial_id: str, spec: TrialSpec) -> None:
        """Show a trial as running; what an earlier attempt wrote is deleted."""
        run = self._create(trial_id, spec, seconds=0.0)
        self._log(run.run_id, {}, text.params(spec), {})

    def extend(self, trial_id: str, spec: TrialSpec, rows: Sequence[HistoryRow]) -> None:
        """Add epochs to a running trial's curves."""
        run = self._folder(spec.dataset).children.get(trial_id)
        if run is None or run.points is None:
            self.begin(trial_id, spec)
            run = self._folder(spec.dataset).children[trial_id]
        points = text.row_points(rows)
        self._log(run.run_id, points, {}, {})
        run.points = {**(run.points or {}), **points}

    def put(self, child: Child) -> None:
        """Write a finished or failed trial whole; curves that were written live are kept if they are the same."""
        run = self._folder(child.spec.dataset).children.get(child.trial_id)
        if run is None or not _continues(run, child):
            run = self._create(child.trial_id, child.spec, seconds=child.seconds)
        written = run.points or {}
        left = {key: value for key, value in child.points.items() if key not in written}
        self._log(run.run_id, left, text.params(child.spec), child.tags)
        run.status, run.error = ("FAILED" if child.error else "FINISHED"), child.error
        self._client.set_terminated(run.run_id, run.status)
        self._client.set_tag(run.run_id, text.COMPLETE, "true")
        run.complete = True

    def end(self, dataset: str, status: str) -> None:
        """Give the parent its status; children that are still running will not go on, so they become KILLED."""
        folder = self._folder(dataset)
        for run in folder.children.values() if status != "RUNNING" else ():
            if not run.complete and run.status == "RUNNING":
                self._client.set_terminated(run.run_id, "KILLED")
                run.status = "KILLED"
        if folder.parent_status == status:
            return
        if status == "RUNNING":
            self._client.update_run(folder.parent_id, status=status)
        else:
            self._client.set_terminated(folder.parent_id, status)
        folder.parent_status = status

    # -- finding and creating ----------------------------------------------------------------------------------------

    def _folder(self, dataset: str) -> Folder:
        if dataset not in self._folders:
            self._folders[dataset] = open_folder(self._client, self._sweep, dataset, self._artifacts)
        return self._folders[dataset]

    def _create(self, trial_id: str, spec: TrialSpec, *, seconds: float) -> MlflowRun:
        folder = self._folder(spec.dataset)
        old = folder.children.pop(trial_id, None)
        if old is not None:
            self._client.delete_run(old.run_id)
        tags = {**text.spec_tags(trial_id, spec, self._sweep), _PARENT_TAG: folder.parent_id}
        start = round((time.time() - seconds) * 1000)
        made = self._client.create_run(folder.id, start_time=start, tags=tags, run_name=text.run_name(spec))
        run = MlflowRun(run_id=made.info.run_id, status="RUNNING", complete=False, error=None, points={}, spec=spec)
        folder.children[trial_id] = run
        return run

    def _log(self, run_id: str, points: Points, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Log in batches within MLflow's limits."""
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 (seconds)

        now = round(time.time() * 1000)
        metrics = iter([Metric(name, value, now, step) for (name, step), value in points.items()])
        pairs = iter([Param(name, value) for name, value in params.items()])
        labels = iter([RunTag(name, value) for name, value in tags.items()])
        while batch := (
            list(islice(metrics, _METRICS_PER_BATCH)),
            list(islice(pairs, _PARAMS_PER_BATCH)),
            list(islice(labels, _PARAMS_PER_BATCH)),
        ):
            if not any(batch):
                return
            self._client.log_batch(run_id, *batch)


def _continues(run: MlflowRun, child: Child) -> bool:
    """Tell whether what was written live is a part of the child, so that only the rest has to be added."""
    if run.points is None or run.complete or run.spec != child.spec or run.status != "RUNNING":
        return False
    return all(child.points.get(key) == value for key, value in run.points.items())
