"""What a sweep's parent in MLflow shows beside its children: data sets with their digests, tables and figures."""

import json
import logging
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from orchestrator import mlflow_text as text
from orchestrator.mlflow_connect import connect, mlflow_errors
from orchestrator.sweep_members import own_name, recorded_sweeps
from orchestrator.tracking_uri import redact
from results.report import Report
from results.schema import Samples
from results.store import Store
from search_spaces.errors import MmptError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Run

__all__ = [
    "REPORT",
    "TABLES",
    "attach_report",
    "log_data_sets",
    "note_data_sets",
    "parents",
    "show_data_sets",
    "show_in_mlflow",
]

_log = logging.getLogger(__name__)

REPORT, TABLES = "report", "tables"
"""Folders of a parent's artifacts."""
_FINGERPRINT = "mmpt.fingerprint"
_LONGEST_DIGEST = 36  # MLflow's limit
_LOGGED = "mlflow.loggedArtifacts"
_SHOWN = (".html", ".png", ".csv")
_DIGITS = 4


def show_in_mlflow(report: Report, folder: Path, uri: str) -> list[str]:
    """Put a written report under every parent of its stores' sweeps; return the parents' names.

    Args:
        report: what was written.
        folder: where.
        uri: what `tracking_uri` returned.

    Raises:
        MmptError: MLflow has no sweep of these stores, or refuses.
    """
    client = connect(uri)
    with mlflow_errors(uri):
        found = [parent for root in report.roots for parent in parents(client, Store(root))]
        for parent in found:
            attach_report(client, parent, folder)
    if not found:
        raise MmptError(f"MLflow at {redact(uri)} has no sweep of {', '.join(report.roots)}; `mmpt track` writes it")
    return sorted({str(parent.info.run_name) for parent in found})


def show_data_sets(store: Store, uri: str) -> None:
    """Log the data sets of a store's sweeps as inputs of their parents.

    Args:
        store: of the sweeps.
        uri: what `tracking_uri` returned.

    Raises:
        MmptError: MLflow cannot be reached or refuses.
    """
    client = connect(uri)
    samples: dict[str, list[Samples]] = {}
    for fingerprint in store.files.names("datasets"):
        found = store.read_samples(fingerprint)
        samples.setdefault(found.dataset, []).append(found)
    with mlflow_errors(uri):
        for parent in parents(client, store):
            log_data_sets(client, parent, store.root, samples.get(parent.data.tags["dataset"], []))


def note_data_sets(store: Store, uri: str) -> None:
    """Do the same after a sweep, which it must not stop: what goes wrong is a warning."""
    try:
        show_data_sets(store, uri)
    except MmptError as error:
        _log.warning("%s; the sweep's data sets can be shown later: mmpt track --store %s", error, store.root)


def parents(client: "MlflowClient", store: Store) -> "Iterator[Run]":
    """Yield the parents of a store's sweeps, those that MLflow has.

    Raises:
        MlflowException: MLflow cannot be reached or refuses.
    """
    sweeps = {own_name(store), *recorded_sweeps(store.files)}
    for folder in client.search_experiments():
        sweep, _, dataset = folder.name.rpartition("/")
        if sweep in sweeps and dataset:
            where = f"tags.`{text.SWEEP}` = '{sweep}' AND tags.dataset = '{dataset}'"
            found = client.search_runs([folder.experiment_id], where, order_by=["attributes.start_time ASC"])
            yield from [run for run in found if text.TRIAL_ID not in run.data.tags][:1]


def log_data_sets(client: "MlflowClient", parent: "Run", store_root: str, samples: Collection[Samples]) -> None:
    """Log data sets as inputs of a parent, each once; a digest is a fingerprint, in full as a tag.

    Args:
        client: where the parent is.
        parent: as MLflow has it now.
        store_root: where the samples are.
        samples: of each data set.
    """
    from mlflow.entities import DatasetInput, InputTag  # noqa: PLC0415 (seconds)

    known = {found.dataset.digest for found in parent.inputs.dataset_inputs} if parent.inputs else set()
    new = [own for own in samples if own.fingerprint[:_LONGEST_DIGEST] not in known]
    context = [InputTag("mlflow.data.context", "training")]
    inputs = [DatasetInput(_entity(store_root, own), context) for own in new]
    if inputs:
        client.log_inputs(parent.info.run_id, inputs)
        client.set_tag(parent.info.run_id, _FINGERPRINT, ",".join(sorted(own.fingerprint for own in samples)))


def _entity(store_root: str, samples: Samples) -> "Dataset":
    from mlflow.entities import Dataset  # noqa: PLC0415 (seconds)

    splits = samples.frame["split"].value_counts().to_dict()
    columns = [{"name": name, "type": "binary", "required": False} for name in samples.modalities]
    return Dataset(
        name=samples.dataset,
        digest=samples.fingerprint[:_LONGEST_DIGEST],
        source_type="mmpt-store",
        source=json.dumps({"uri": f"{store_root}/datasets/{samples.fingerprint}/samples.parquet"}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps({"num_rows": len(samples.frame), **splits, "classes": len(samples.class_names)}),
    )


def attach_report(client: "MlflowClient", parent: "Run", folder: Path) -> None:
    """Put a report's page, figures and cells below `report/`, and its tables as MLflow shows them below `tables/`.

    Doing it again replaces them.

    Args:
        client: where the parent is.
        parent: as MLflow has it now.
        folder: what `results.report.Report.write` wrote.
    """
    run_id = parent.info.run_id
    for path in sorted(path for path in folder.iterdir() if path.suffix in _SHOWN):
        client.log_artifact(run_id, str(path), REPORT)
    known = {entry["path"] for entry in json.loads(parent.data.tags.get(_LOGGED, "[]"))}
    for path in sorted(folder.glob("*.csv")):
        name, table = f"{TABLES}/{path.stem}.json", _readable(pd.read_csv(path))
        if name in known:  # `log_table` would append; this is the form in which it writes
            rows = [list(row) for row in zip(*table.values(), strict=True)]
            client.log_dict(run_id, {"columns": list(table), "data": rows}, name)
        else:
            client.log_table(run_id, table, name)


def _readable(cells: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table's CSV, which has a line per cell, as rows and columns."""
    names = (cells["group"].fillna("") + " " + cells["column"]).str.strip()
    pairs = zip(cells["value"].tolist(), cells["text"].astype(object).tolist(), strict=True)
    shown = [round(value, _DIGITS) if math.isfinite(value) else text for value, text in pairs]
    wide = cells.assign(name=names, shown=shown).pivot_table(
        index="row", columns="name", values="shown", aggfunc="first", sort=False
    )
    wide = wide.astype(object).where(wide.notna(), None).reset_index()
    return {str(name): wide[name].tolist() for name in wide.columns}
