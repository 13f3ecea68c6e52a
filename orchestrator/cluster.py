"""Joining a Ray cluster: the one at the given address, or a local one of our own; never whatever happens to run."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ray

from orchestrator.address import check_address
from search_spaces.errors import MmptError

__all__ = ["joined_cluster"]

_OBJECT_STORE_BYTES = 100 * 1024**2  # trials exchange files, not objects


@contextmanager
def joined_cluster(address: str | None, resources: Mapping[str, float]) -> Iterator[int]:
    """Join or start a cluster, give the number of trials that it can hold at once, leave it at the end.

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
            check_address(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise MmptError(f"no Ray cluster answers at {address or 'this machine'!r}: {error}") from error
    try:
        yield _capacity(ray.cluster_resources(), resources)
    finally:
        ray.shutdown()


def _capacity(cluster: Mapping[str, float], resources: Mapping[str, float]) -> int:
    names = {"cpus": "CPU", "gpus": "GPU"}
    counts = []
    for name, need in resources.items():
        have = cluster.get(names[name], 0.0)
        if need > have:
            raise MmptError(f"one trial needs {need:g} {name}, the cluster has {have:g}")
        if need > 0:
            counts.append(int(have / need))
    return max(1, min(counts, default=1))
