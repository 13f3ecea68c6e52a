"""Checking where a sweep is to run without ray, before anything is started."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import torch

from orchestrator.resources import amounts
from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["check_address", "check_fits", "check_inline"]

_ANSWER_SECONDS = 5.0


def check_fits(resources: Mapping[str, Any]) -> None:
    """Make sure that this machine can hold one trial, before a local cluster is started.

    Raises:
        MmptError: it cannot.
    """
    here = {"CPU": os.cpu_count() or 1, "GPU": torch.cuda.device_count()}
    workers = resources.get("workers_per_trial", 1)
    for name, own in amounts(resources).items():
        need = workers * own
        if need > here.get(name, need):
            less = "--gpus 0" if name == "GPU" else "--cpus 1"
            cure = f"take less, for instance {less}, or join a cluster with --address"
            raise MmptError(f"one trial needs {round(need, 3):g} {name}, this machine has {here[name]}: {cure}")


def check_inline(resources: Mapping[str, Any]) -> None:
    """Make sure that this process is enough for a trial.

    Raises:
        InvalidValueError: a trial is to have several workers.
        MmptError: there is no GPU where one is asked for.
    """
    workers = resources.get("workers_per_trial", 1)
    if workers > 1:
        allowed = "1 in this process (--inline); several workers are started by Ray, also on one machine"
        raise InvalidValueError("workers_per_trial", workers, allowed)
    check_fits({"gpus": resources.get("gpus", 0)})


def check_address(address: str) -> None:
    """Make sure that something listens at a Ray address, before anything else starts.

    Raises:
        InvalidValueError: the address has no `host:port`.
        MmptError: nothing answers there.
    """
    if address == "auto":
        return
    place = address.removeprefix("ray://")
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidValueError("address", address, "host:port of a running cluster's head, or auto")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise MmptError(f"no Ray cluster answers at {address!r}: {error}") from error
