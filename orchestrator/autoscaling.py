"""Nodes that a cluster does not have yet: what its autoscaler would start for trials that wait."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import ray
import yaml

__all__ = ["nodes_to_come"]

_LIMITS = Path("~/ray_bootstrap_config.yaml")
"""Where `ray up` leaves the cluster file on the head. Ray itself tells nobody what its autoscaler may start."""

_HEAD, _NODE_GROUP = "node:__internal_head__", "ray.io/node-group"


def nodes_to_come() -> Iterator[Mapping[str, float]]:
    """Give the resources of every node that the joined cluster may still start, if this is the head of one that grows.

    Machines of one's own (provider `local`) are not among them: nobody knows what they have before they are there.
    """
    here, path = ray.get_runtime_context().get_node_id(), _LIMITS.expanduser()
    alive = [node for node in ray.nodes() if node["Alive"]]
    if not path.exists() or not any(node["NodeID"] == here and _HEAD in node["Resources"] for node in alive):
        return
    running = Counter(node.get("Labels", {}).get(_NODE_GROUP) for node in alive)
    for name, kind in yaml.safe_load(path.read_text(encoding="utf-8")).get("available_node_types", {}).items():
        for _ in range(kind.get("max_workers", 0) - running[name]):
            yield kind.get("resources", {})
