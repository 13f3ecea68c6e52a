"""Measures trials' GPU memory on the cluster that will train them, each on a whole GPU and in a process of its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ray
from ray.exceptions import RayError

from orchestrator.checks.gpus import look_at_cards
from orchestrator.cluster import joined_cluster
from orchestrator.gpu_shares import gpu_shares
from orchestrator.nodes import Nodes
from orchestrator.plan import PlannedTrial
from orchestrator.ray_nodes import asked_nodes
from orchestrator.shipping import ship_by_value
from results.store import Store
from search_spaces.errors import MmptError
from trainables.extensions import Extensions, add_extensions
from trainables.memory_probe import MemoryUse, measure_memory
from trainables.task import TrialTask

__all__ = ["measured_shares"]

_MIB = 1024**2


def measured_shares(
    trials: Iterable[PlannedTrial],
    store: Store,
    make_task: Callable[[PlannedTrial], TrialTask],
    extensions: Extensions,
    address: str | None,
) -> dict[str, float]:
    """Return what `gpu_shares` does, from measurements on the cluster at an address, or on a local one of our own.

    Args:
        trials: to be trained.
        store: where measurements are kept.
        make_task: planned trial -> what its worker is told; it says how much of a GPU the measurement gets.
        extensions: the user's own classes.
        address: where the cluster is.

    Raises:
        MmptError: the cluster cannot be joined, or no node has a GPU.
    """
    ship_by_value(extensions)
    with joined_cluster(address):
        with asked_nodes() as nodes:
            total_bytes = _smallest_card(nodes)
        return gpu_shares(trials, store, total_bytes, lambda trial: _on_a_gpu(make_task(trial), extensions))


def _smallest_card(nodes: Nodes) -> int:
    cards = [card for found, _, _ in nodes.ask_all(look_at_cards).values() for card in found]
    if not cards:
        raise MmptError("gpus: auto measures on GPUs, and nvidia-smi finds none on any node; give a share, or 0")
    return int(min(card.total_mib for card in cards) * _MIB)


def _on_a_gpu(task: TrialTask, extensions: Extensions) -> MemoryUse:
    measure: Any = ray.remote(num_cpus=task.cpus, num_gpus=task.gpus, max_calls=1)(_measure)
    chosen = measure.options(label_selector=dict(task.labels)) if task.labels else measure
    try:
        used, problem = ray.get(chosen.remote(task.to_config(), dict(extensions)))
    except RayError as error:
        raise MmptError(str(error).strip().rpartition("\n")[2]) from error
    if used is None:
        raise MmptError(problem)
    return MemoryUse(*used)


def _measure(config: Mapping[str, Any], extensions: Extensions) -> tuple[tuple[int, int] | None, str]:
    """On a node: return what was measured, or else why it could not be."""
    add_extensions(extensions)
    try:
        used = measure_memory(TrialTask.from_config(config))
    except MmptError as error:
        return None, str(error)
    return (used.peak_bytes, used.total_bytes), ""
