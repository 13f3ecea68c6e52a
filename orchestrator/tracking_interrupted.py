"""Brings to MLflow what drivers that are gone had spooled of trials that never ended."""

from collections.abc import Callable

from orchestrator.mlflow_writer import SweepWriter
from orchestrator.tracking_spool import left_behind
from results.files import Files

__all__ = ["write_interrupted"]


def write_interrupted(writer: SweepWriter, files: Files, sweep: str, uri: str, ended: Callable[[str], bool]) -> None:
    """Show interrupted trials as KILLED with all of their curves; forget what was spooled once MLflow has it.

    Args:
        writer: of the sweep.
        files: the store's files.
        sweep: the sweep's name.
        uri: where the writer writes; what was spooled for another MLflow stays.
        ended: tells whether a trial finished or failed after all, so that the store says more of it.

    Raises:
        StoreError: a spooled segment is damaged.
        Exception: what MLflow raises.
    """
    for left in left_behind(files, sweep):
        if left.alive:
            continue
        trials = [live for live in left.trials().values() if not ended(live.trial_id)]
        for live in trials:
            writer.extend(live.trial_id, live.spec, live.points)
            writer.kill(live.spec.dataset, live.trial_id)
        if left.is_for(uri) or not trials:
            left.forget()
