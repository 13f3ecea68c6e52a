"""Finds a sweep in MLflow again: its MLflow experiment, its parent and its children, by name and tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator import mlflow_text as text
from orchestrator.mlflow_text import Points
from search_spaces.spec import TrialSpec

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["Folder", "MlflowRun", "open_folder"]

_PAGE = 1000


@dataclass(kw_only=True)
class MlflowRun:
    """A child as MLflow has it; `points` is None unless this writer wrote all of them."""

    run_id: str
    status: str
    complete: bool
    error: str | None
    points: Points | None = None
    spec: TrialSpec | None = None


@dataclass(kw_only=True)
class Folder:
    """The MLflow experiment of one data set."""

    id: str
    parent_id: str
    parent_status: str
    children: dict[str, MlflowRun]


def open_folder(client: "MlflowClient", sweep: str, dataset: str, artifacts: str | None) -> Folder:
    """Find or make the MLflow experiment `<sweep>/<dataset>` and its parent; look up all children.

    Raises:
        MlflowException: MLflow cannot be reached or refuses.
    """
    folder_id = _experiment_id(client, f"{sweep}/{dataset}", artifacts)
    children: dict[str, MlflowRun] = {}
    parent: Run | None = None
    for found in _search(client, folder_id):
        tags = found.data.tags
        if text.TRIAL_ID in tags:
            _adopt(client, children, tags[text.TRIAL_ID], found)
        elif tags.get(text.SWEEP) == sweep:
            parent = parent or found
    if parent is None:
        tags = {text.SWEEP: sweep, "dataset": dataset}
        parent = client.create_run(folder_id, tags=tags, run_name=f"{sweep} on {dataset}")
    status = str(parent.info.status)
    return Folder(id=folder_id, parent_id=parent.info.run_id, parent_status=status, children=children)


def _experiment_id(client: "MlflowClient", name: str, artifacts: str | None) -> str:
    """Return the id of the MLflow experiment of that name, made or taken out of MLflow's bin if need be."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (seconds)

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another driver may have been faster
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _search(client: "MlflowClient", folder_id: str) -> "Iterator[Run]":
    token = None
    while True:
        order = ["attributes.start_time ASC"]
        page = client.search_runs([folder_id], max_results=_PAGE, order_by=order, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _adopt(client: "MlflowClient", children: dict[str, MlflowRun], trial_id: str, found: "Run") -> None:
    """Keep one child per trial, a complete one if there is; a request that was retried may have made two."""
    tags = found.data.tags
    complete = tags.get(text.COMPLETE) == "true"
    run = MlflowRun(run_id=found.info.run_id, status=found.info.status, complete=complete, error=tags.get(text.ERROR))
    kept = children.get(trial_id)
    if kept is not None:
        run, spare = (run, kept) if complete and not kept.complete else (kept, run)
        client.delete_run(spare.run_id)
    children[trial_id] = run
