"""Finds a sweep in MLflow again: its MLflow experiment, its parent and its children, by name and tags."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator import mlflow_text as text
from orchestrator.mlflow_text import Points
from search_spaces.spec import TrialSpec

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["PARENT", "Folder", "MlflowRun", "look_up", "open_folder"]

PARENT = "mlflow.parentRunId"
"""MLflow's own tag of a child."""
_PAGE = 1000
_ENDED = ("FINISHED", "FAILED")


@dataclass(kw_only=True)
class MlflowRun:
    """A child as MLflow has it; `points` is None unless this writer wrote all of them, `described` if it has params."""

    run_id: str
    status: str
    complete: bool
    error: str | None
    described: bool = False
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
    found = list(_search(client, folder_id))
    parent = _parent(client, folder_id, found, sweep, dataset)
    children: dict[str, MlflowRun] = {}
    for run in found:
        if text.TRIAL_ID in run.data.tags:
            if run.data.tags.get(PARENT) != parent.info.run_id:  # two drivers had made a parent each
                client.set_tag(run.info.run_id, PARENT, parent.info.run_id)
            _adopt(client, children, run)
    return Folder(id=folder_id, parent_id=parent.info.run_id, parent_status=str(parent.info.status), children=children)


def look_up(client: "MlflowClient", folder: Folder, trial_id: str) -> MlflowRun | None:
    """Look for one child again: another driver, or a request that seemed to fail, may have made it."""
    for run in _search(client, folder.id, f"tags.`{text.TRIAL_ID}` = '{trial_id}'"):
        _adopt(client, folder.children, run)
    return folder.children.get(trial_id)


def _parent(client: "MlflowClient", folder_id: str, found: "list[Run]", sweep: str, dataset: str) -> "Run":
    """Return the sweep's one parent: the oldest, of equally old ones that of the smallest id; others are deleted."""

    def parents(runs: "Iterable[Run]") -> "list[Run]":
        own = [run for run in runs if text.TRIAL_ID not in run.data.tags and run.data.tags.get(text.SWEEP) == sweep]
        return sorted(own, key=lambda run: (run.info.start_time, run.info.run_id))

    known = parents(found)
    if not known:
        tags = {text.SWEEP: sweep, "dataset": dataset}
        made = client.create_run(folder_id, tags=tags, run_name=f"{sweep} on {dataset}")
        known = parents(_search(client, folder_id)) or [made]  # another driver may have done the same
    for spare in known[1:]:
        client.delete_run(spare.info.run_id)
    return known[0]


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


def _search(client: "MlflowClient", folder_id: str, where: str = "") -> "Iterator[Run]":
    token = None
    while True:
        order = ["attributes.start_time ASC"]
        page = client.search_runs([folder_id], where, max_results=_PAGE, order_by=order, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _adopt(client: "MlflowClient", children: dict[str, MlflowRun], found: "Run") -> None:
    """Keep one child per trial, a complete one if there is; a request that was retried may have made two."""
    tags = found.data.tags
    trial_id, status = tags[text.TRIAL_ID], str(found.info.status)
    complete = tags.get(text.COMPLETE) == "true" and status in _ENDED
    run = MlflowRun(
        run_id=found.info.run_id,
        status=status,
        complete=complete,
        error=tags.get(text.ERROR),
        described=bool(found.data.params),
    )
    kept = children.get(trial_id)
    if kept is not None and kept.run_id != run.run_id:
        run, spare = (run, kept) if complete and not kept.complete else (kept, run)
        client.delete_run(spare.run_id)
    children[trial_id] = run
