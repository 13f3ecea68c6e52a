"""Joining a Ray cluster: the one at the given address, or a local one of our own; never whatever happens to run."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ray

from orchestrator.autoscaling import nodes_to_come
from search_spaces.errors import MmptError

__all__ = ["joined_cluster"]

_OBJECT_STORE_BYTES = 100 * 1024**2  # trials exchange files, not objects


@contextmanager
def joined_cluster(address: str | None, resources: Mapping[str, float]) -> Iterator[int]:
    """Join or start a cluster, give the number of trials that it can hold at once (fully grown), leave it at the end.

    Raises:
        MmptError: the cluster cannot be joined, or one trial needs more than it has.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        if address is None:
            ray.init(
                address="local",
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=_OBJECT_STORE_BYTES,
            )
        else:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise MmptError(f"no Ray cluster answers at {address or 'this machine'!r}: {error}") from error
    try:
        running = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        yield _capacity([*running, *nodes_to_come()], resources)
    finally:
        ray.shutdown()


def _capacity(nodes: list[Mapping[str, float]], resources: Mapping[str, float]) -> int:
    """Return how many trials fit at once: a trial cannot be spread over nodes."""
    names = {"cpus": "CPU", "gpus": "GPU"}
    needs = {names[name]: need for name, need in resources.items() if need > 0}
    total = sum(min((int(node.get(name, 0.0) / need) for name, need in needs.items()), default=1) for node in nodes)
    if total == 0:
        wanted = ", ".join(f"{need:g} {name}" for name, need in needs.items())
        largest = max(nodes, key=lambda node: (node.get("GPU", 0.0), node.get("CPU", 0.0)), default={})
        has = ", ".join(f"{largest.get(name, 0.0):g} {name}" for name in needs)
        raise MmptError(f"one trial needs {wanted}; the largest node of the cluster has {has}")
    return total
