"""Epochs that survive their process: a killed attempt is gone on with, and a checkpoint is written now and then."""

import logging
import time
from collections.abc import Callable, Iterator

from safetensors import SafetensorError

from results.schema import HistoryRow
from results.store import Store
from trainables.loop import TrainingLoop
from trainables.task import TrialTask

__all__ = ["resumed"]

_log = logging.getLogger(__name__)


def resumed(loop: TrainingLoop, task: TrialTask, store: Store, check: Callable[[], None]) -> Iterator[list[HistoryRow]]:
    """Run a loop's epochs from the checkpoint of a killed attempt, if there is one, and yield their history rows.

    Args:
        loop: of the trial, which has not begun.
        task: says which trial it is, and how old its checkpoint may become.
        store: where checkpoints are; of several workers only the leading one reads and writes them.
        check: raises if nothing may be written any more.
    """
    leads = loop.compute.workers.leads
    if _restore(loop, task, store):
        yield list(loop.history)
    saved = time.perf_counter()
    for rows in loop.epochs():
        if leads and time.perf_counter() - saved >= task.checkpoint_seconds and not loop.finished:
            check()
            store.write_checkpoint(task.trial_id, loop.checkpoint())
            saved = time.perf_counter()
        yield rows


def _restore(loop: TrainingLoop, task: TrialTask, store: Store) -> bool:
    workers = loop.compute.workers
    found = store.read_checkpoint(task.trial_id) if workers.leads else None
    checkpoint = workers.bytes_from_leading(found)
    if checkpoint is None:
        return False
    try:
        loop.restore(checkpoint)
    except (SafetensorError, KeyError, ValueError) as error:
        _log.warning("trial %s: its checkpoint cannot be read (%s); it starts anew", task.trial_id, error)
        return False
    return True
