"""Puts a finished trial into MLflow's model registry: weights, spec, and a model that predicts whatever is missing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import mlflow_text as text
from orchestrator.mlflow_connect import connect, mlflow_errors
from orchestrator.mlflow_model import save_model
from results.store import Store
from results.winner import Winner
from search_spaces.errors import MmptError
from search_spaces.spec import TrialSpec
from trainables.dataset_identity import build_dataset
from trainables.served_model import ServedModel, write_served

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["Registered", "register"]

_ROUTE = "mmpt.route"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A version in the registry.

    Attributes:
        name: of the registered model.
        version: its number.
        uri: what `mlflow.pyfunc.load_model` takes.
        new: False if this trial had been registered before.
    """

    name: str
    version: int
    uri: str
    new: bool


def register(store: Store, uri: str, chosen: Winner, *, rule: str, route: str, name: str | None = None) -> Registered:
    """Register a trial whose weights the store has; one that is registered already gets no second version.

    Args:
        store: where the trial is.
        uri: what `tracking_uri` returned.
        chosen: the trial, and why.
        rule: name of the selection rule; it becomes the registry's alias for the version.
        route: `probe` or `head`, by which the model predicts.
        name: of the registered model; by default `mmpt-<data set>`.

    Raises:
        MmptError: its weights were not kept, its model cannot be served, MLflow lacks the trial or refuses.
    """
    tags = {
        text.TRIAL_ID: chosen.trial_id,
        _ROUTE: route,
        "mmpt.rule": rule,
        "mmpt.validation_score": repr(chosen.score),
        "mmpt.pattern": chosen.pattern,
        "mmpt.store": store.root,
        **{f"mmpt.{field}": str(value) for field, value in chosen.group._asdict().items()},
    }
    model_name = name or f"mmpt-{chosen.group.dataset.replace('_', '-')}"
    with tempfile.TemporaryDirectory() as folder:
        spec = _write_content(Path(folder), store, chosen.trial_id, route)
        with _registry(uri) as client:
            known = _find_version(client, model_name, tags)
            number = known or _add_version(client, model_name, spec, Path(folder), tags)
            client.set_registered_model_alias(model_name, rule, str(number))
    return Registered(name=model_name, version=number, uri=f"models:/{model_name}/{number}", new=known is None)


def _write_content(folder: Path, store: Store, trial_id: str, route: str) -> TrialSpec:
    record, weights = store.read_trial(trial_id), store.read_model(trial_id)
    if weights is None:
        raise MmptError(f"the weights of trial {trial_id} were not kept")
    info = build_dataset(record.spec.dataset, record.spec.dataset_params).info()
    (folder / "content").mkdir()
    write_served(folder / "content", record, info, weights, route)
    return record.spec


@contextmanager
def _registry(uri: str) -> "Iterator[MlflowClient]":
    """Give a client; meanwhile MLflow's own default is the same, since its registry looks models up there.

    Raises:
        MmptError: see `mlflow_errors`.
    """
    client = connect(uri)
    import mlflow  # noqa: PLC0415 (seconds, and only after `connect` has set the environment)

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        with mlflow_errors(uri):
            yield client
    finally:
        mlflow.set_tracking_uri(before)


def _find_version(client: "MlflowClient", name: str, tags: dict[str, str]) -> int | None:
    """Return the number of the version that is this trial by this route, if there is one."""
    for found in client.search_model_versions(f"name = '{name}'"):
        if all(found.tags.get(key) == tags[key] for key in (text.TRIAL_ID, _ROUTE)):
            return int(found.version)
    return None


def _add_version(client: "MlflowClient", name: str, spec: TrialSpec, folder: Path, tags: dict[str, str]) -> int:
    served = ServedModel(folder / "content")  # what cannot be loaded is not registered
    run = _child(client, served.trial_id)
    owner = client.create_logged_model(
        run.info.experiment_id, name=name, source_run_id=run.info.run_id, tags=tags, params=text.params(spec)
    )
    try:
        save_model(folder / "model", folder / "content", served, owner)
        client.log_model_artifacts(owner.model_id, str(folder / "model"))
    except BaseException:
        client.delete_logged_model(owner.model_id)
        raise
    client.finalize_logged_model(owner.model_id, "READY")
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description="Trials of mmpt-sweep; a version's tags say which and why.")
    source, about = f"models:/{owner.model_id}", _about(served, spec, tags)
    made = client.create_model_version(
        name, source, run.info.run_id, tags=tags, description=about, model_id=owner.model_id
    )
    return int(made.version)


def _child(client: "MlflowClient", trial_id: str) -> "Run":
    folders = [one.experiment_id for one in client.search_experiments()]
    found = client.search_runs(folders, f"tags.`{text.TRIAL_ID}` = '{trial_id}'", max_results=1)
    if not found:
        raise MmptError(f"MLflow does not have trial {trial_id}; `mmpt track` writes it")
    return found[0]


def _about(served: ServedModel, spec: TrialSpec, tags: dict[str, str]) -> str:
    """Return the version's description in Markdown: what it is and what to give it."""
    score = float(tags["mmpt.validation_score"])
    first = (
        f"`{text.run_name(spec)}` on {spec.dataset}, chosen by {tags['mmpt.rule']} ({score:.3f} on validation). "
        f"It predicts by its {served.route}. `predict` takes a frame with a column per modality, null where a sample "
        "lacks it, and returns a column of logits per class."
    )
    lines = [first, ""]
    for name in served.modalities:
        info = served.info.inputs[name]
        lines.append(f"* `{name}` ({info.kind}): {info.stored.dtype} array of shape {info.stored.shape}")
    return "\n".join(lines)
