"""Preparing a sweep's data sets once on every node of a Ray cluster, before trials ask for them."""

from collections.abc import Iterable, Mapping
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search_spaces.errors import MmptError
from search_spaces.spec import TrialSpec
from trainables.api_data import Dataset
from trainables.build import prepare_data
from trainables.dataset_catalog import DATASETS
from trainables.dataset_identity import trust_fingerprint
from trainables.task import TrialTask

__all__ = ["prepare_on_nodes"]


def prepare_on_nodes(tasks: Iterable[TrialTask], datasets: Mapping[str, type[Dataset]]) -> None:
    """Prepare the tasks' data on every other node of the cluster that was joined, all nodes at once.

    The driver's own node has it already, and with a cache on a shared disk so have the others.

    Args:
        tasks: one per data set.
        datasets: the user's own classes by key.

    Raises:
        MmptError: a node cannot; the message names it and says why.
    """
    here = ray.get_runtime_context().get_node_id()
    nodes = {node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["Alive"] and node["NodeID"] != here}
    waiting = {}
    for task in tasks:
        for node, name in nodes.items():
            reference = _on_node(node).remote(task.to_config(), dict(datasets))
            waiting[reference] = f"{task.spec['dataset']} on node {name}"
    for reference, what in waiting.items():
        problem = ray.get(reference)
        if problem:
            raise MmptError(f"{what} cannot be prepared: {problem}")


def _on_node(node: str) -> Any:
    decorate: Any = ray.remote(num_cpus=0)
    return decorate(_prepare_here).options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))


def _prepare_here(config: Mapping[str, Any], datasets: Mapping[str, type[Dataset]]) -> str:
    """Prepare one data set on the node this runs on; return what a user has to know if that fails."""
    for key, entry in datasets.items():
        DATASETS.add(entry, key)
    task = TrialTask.from_config(config)
    spec = TrialSpec.from_config(task.spec)
    try:
        trust_fingerprint(spec, task.fingerprint)
        prepare_data(spec, task.fingerprint, task.cache, task.data_root, task.shared_cache)
    except MmptError as error:
        return str(error)
    return ""
