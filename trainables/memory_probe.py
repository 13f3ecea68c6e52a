"""How much GPU memory a trial takes, measured on a few of its steps."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from search_spaces.spec import TrialSpec
from trainables.build import build_method, load_splits, open_prepared
from trainables.checkpoint import weights
from trainables.dataset_identity import trust_fingerprint
from trainables.devices import set_up_compute
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.training import EVALUATION_BATCH, Training, encode

__all__ = ["MemoryUse", "measure_memory"]

_STEPS = 20
_STREAM = 1


class MemoryUse(NamedTuple):
    """What was measured, and the memory of the card it was measured on."""

    peak_bytes: int
    total_bytes: int


def cuda_memory(device: torch.device) -> MemoryUse:
    """Return the most memory that torch held on a GPU since it was set up, and all the card has."""
    return MemoryUse(torch.cuda.max_memory_reserved(device), torch.cuda.get_device_properties(device).total_memory)


def measure_memory(task: TrialTask, read: Callable[[torch.device], MemoryUse] = cuda_memory) -> MemoryUse:
    """Train a trial for a few steps, encode a batch as large as those that it is evaluated on, and read the memory.

    Data lies where the trial would have it; weights of required trials have the right shapes and random values. Nothing
    is written. The linear probes that follow training hold features, not activations, and are left out.

    Args:
        task: the trial; with `gpus` 0 it is trained on the CPU, of which only a `read` of one's own can tell anything.
        read: what tells the memory of a device.

    Raises:
        MmptError: the trial cannot be built.
    """
    spec = TrialSpec.from_config(task.spec)
    if task.fingerprint:
        trust_fingerprint(spec, task.fingerprint)
    resolved, compute = resolve(spec), set_up_compute(task.cpus, task.gpus)
    prepared = open_prepared(resolved, task.cache, task.data_root)
    splits = load_splits(prepared, resolved, compute)
    method = build_method(resolved, compute)
    required = resolved.requirements()
    chosen = method.chosen(list(required), lambda _: 0.0)
    method.receive({name: weights(build_method(resolve(required[name]), compute)) for name in chosen})
    train = splits["train"]
    if method.trains:
        rows = np.flatnonzero(method.usable(train.available))[: _STEPS * spec.batch_size]
        Training(method, train, rows, compute, stream=(_STREAM,)).train_epoch(1)
    with torch.no_grad():
        encode(method, train.batch(np.arange(min(EVALUATION_BATCH, len(train)))), compute)
    return read(compute.device)
