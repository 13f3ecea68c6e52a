"""Copies a store into a folder that can be carried to a machine without network: Parquet, MLflow database, report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.mlflow_parents import REPORT, show_data_sets, show_in_mlflow
from orchestrator.mlflow_server import serving
from orchestrator.sweep_members import record_sweep, recorded_sweeps
from orchestrator.tracking import TrackingSummary, track
from results.compact import compact
from results.files import StoreError
from results.report import Report
from results.store import Store

__all__ = ["Exported", "export"]

Progress = Callable[[int, int], None]
"""Called with (trials copied, trials to copy)."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export has done.

    Attributes:
        copied: trials that the folder did not have before.
        damaged: trials that cannot be read and were left out: id -> why.
        tracked: what reached the folder's MLflow database.
    """

    copied: int
    damaged: dict[str, str]
    tracked: TrackingSummary


def export(store: Store, folder: Path, *, report: bool = False, progress: Progress | None = None) -> Exported:
    """Make a folder a store of its own with all finished and failed trials, compacted, and an MLflow database of them.

    It can be interrupted and repeated, and brings an earlier export up to date. Weights and checkpoints stay behind.
    The database is written through MLflow's server, so that no path in it depends on where the folder lies.

    Args:
        store: may be written to meanwhile.
        folder: absolute; new, empty or an earlier export.
        report: also write the report, into `report/` and under the sweeps in MLflow.
        progress: told after every trial.

    Raises:
        StoreError: the folder holds something else or cannot be written.
        MmptError: MLflow's server does not start.
    """
    if folder.exists() and not (folder / "store.json").exists() and any(folder.iterdir()):
        raise StoreError(f"{str(folder)!r} holds something else; give a new folder or an earlier export")
    if str(folder) == store.root:
        raise StoreError(f"{str(folder)!r} is the store itself; give another folder")
    target = Store(str(folder))
    target.prepare()
    copied = _copy_trials(store, target, progress)
    _copy_the_rest(store, target)
    compact(target)
    with serving(folder) as server:
        tracked = track(target.root, server.address)
        show_data_sets(target, server.address)
        if report:
            made = Report(target)
            show_in_mlflow(made, made.write(folder / REPORT).parent, server.address)
    return Exported(copied=copied, damaged=store.corrupt(), tracked=tracked)


def _copy_trials(store: Store, target: Store, progress: Progress | None) -> int:
    """Copy finished trials with their data sets' samples; their scores are computed anew from the logits."""
    waiting = sorted(store.done_ids() - target.done_ids())
    for count, record in enumerate(store.records(waiting), start=1):
        fingerprint = str(record.facts["fingerprint"])
        target.write_samples(store.read_samples(fingerprint))
        target.write_trial(record)
        if progress:
            progress(count, len(waiting))
    return len(waiting)


def _copy_the_rest(store: Store, target: Store) -> None:
    for failure in store.failures().values():
        target.write_failure(failure)
    for name, datasets in recorded_sweeps(store.files).items():
        record_sweep(target.files, name, datasets)
    planned = store.planned()
    if len(planned):
        rows = ({str(name): value for name, value in row.items()} for row in planned.to_dict("records"))
        target.write_plan("exported", rows)
