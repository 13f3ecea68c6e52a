"""How many trials the nodes of a cluster can hold at once, and what is free of what a trial waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ray

from orchestrator.autoscaling import nodes_to_come
from orchestrator.resources import amounts, fits_labels
from search_spaces.errors import MmptError

__all__ = ["NodeRoom", "capacity_for", "rooms", "waiting_for"]

_GIB = 1024**3


@dataclass(frozen=True)
class NodeRoom:
    """What one node has, under Ray's names."""

    amounts: Mapping[str, float]
    labels: Mapping[str, str]


def rooms() -> list[NodeRoom]:
    """Return the nodes of the cluster that was joined: the living ones, and those that its autoscaler may start."""
    living = [NodeRoom(node["Resources"], node.get("Labels", {})) for node in ray.nodes() if node["Alive"]]
    return [*living, *(NodeRoom(has, {}) for has in nodes_to_come())]


def capacity_for(nodes: Sequence[NodeRoom], resources: Mapping[str, Any]) -> int:
    """Return how many trials the nodes hold at once: one can be spread over nodes, a worker of it cannot.

    Raises:
        MmptError: not one; the message names what is lacking.
    """
    needs, labels = amounts(resources), resources.get("labels", {})
    fitting = [node for node in nodes if fits_labels(node.labels, labels)]
    workers = resources.get("workers_per_trial", 1)
    places = sum(_places(node.amounts, needs) for node in fitting)
    if places >= workers:
        return int(places // workers)
    wanted = ", ".join(_shown(name, need) for name, need in needs.items())
    cure = "take less (--cpus, --gpus, --memory) or add such a node"
    if not fitting:
        shown = ", ".join(f"{key}={value}" for key, value in labels.items())
        known = sorted(
            {f"{key}={value}" for node in nodes for key, value in node.labels.items() if "node-id" not in key}
        )
        raise MmptError(f"no node has the label {shown}; nodes have {', '.join(known) or 'no labels'}")
    if workers > 1:
        raise MmptError(
            f"one trial needs {workers} workers with {wanted} each; the cluster has room for {places}: {cure}"
        )
    largest = max(fitting, key=lambda node: [node.amounts.get(name, 0.0) for name in ("GPU", *needs)])
    has = ", ".join(_shown(name, largest.amounts.get(name, 0.0)) for name in needs)
    raise MmptError(f"one trial needs {wanted}; the largest node of the cluster has {has}: {cure}")


def waiting_for(resources: Mapping[str, Any]) -> str:
    """Say what a trial needs and how much of it is free on the cluster that was joined, `1 GPU (0 of 4 free)`."""
    has, free = ray.cluster_resources(), ray.available_resources()
    needs = [
        f"{_shown(name, need)} ({_number(name, free.get(name, 0.0))} of {_number(name, has.get(name, 0.0))} free)"
        for name, need in amounts(resources).items()
    ]
    labels = [f"{key}={value}" for key, value in resources.get("labels", {}).items()]
    return ", ".join(needs) + (f" on a node with {', '.join(labels)}" if labels else "")


def _places(has: Mapping[str, float], needs: Mapping[str, float]) -> int:
    # Ray counts in ten-thousandths: three thirds of 0.3333 fit.
    return min((int((has.get(name, 0.0) + 1e-3) / need) for name, need in needs.items()), default=1)


def _shown(name: str, amount: float) -> str:
    return f"{_number(name, amount)} {'GiB of memory' if name == 'memory' else name}"


def _number(name: str, amount: float) -> str:
    return f"{amount / _GIB:.1f}" if name == "memory" else f"{round(amount, 3):g}"
