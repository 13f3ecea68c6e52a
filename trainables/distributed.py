"""How the workers of a trial find each other and connect, by gloo on CPUs and by NCCL on GPUs. No ray."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from trainables.attempt import WorkerLostError, problem_of
from trainables.workers import ANSWER, Board, Workers

__all__ = ["Meeting", "joined", "led"]

_torch: Any = distributed  # which declares no types of its connections
_MEET = timedelta(seconds=120)


@dataclass(frozen=True)
class Meeting:
    """Where the `number` workers of a trial meet: host and port of the leading one."""

    host: str
    port: int
    number: int


@contextmanager
def led(host: str, number: int, gpus: float, call: Callable[[Meeting], None]) -> Iterator[Workers]:
    """Lead a trial: open the meeting at an address of this machine, `call` the others to it, wait for them.

    Raises:
        WorkerLostError: they do not come.
    """
    listening = socket.create_server((host, 0))
    port = listening.getsockname()[1]
    board = _torch.TCPStore(
        host, port, is_master=True, wait_for_workers=False, timeout=_MEET, master_listen_fd=listening.detach()
    )
    meeting = Meeting(host, port, number)
    call(meeting)
    with _met(meeting, 0, gpus, host, board) as workers:
        yield workers


@contextmanager
def joined(meeting: Meeting, rank: int, gpus: float) -> Iterator[Workers]:
    """Come to a meeting as worker 1, 2, ..., `number` - 1.

    Raises:
        WorkerLostError: the leading worker cannot be reached, or others do not come.
    """
    try:
        with socket.create_connection((meeting.host, meeting.port), timeout=_MEET.total_seconds()) as probe:
            own_address = probe.getsockname()[0]
        board = _torch.TCPStore(meeting.host, meeting.port, is_master=False, timeout=_MEET)
    except (OSError, RuntimeError) as error:
        message = f"worker {rank + 1} cannot reach the leading one at {meeting.host}:{meeting.port}: {error}"
        raise WorkerLostError(message) from error
    with _met(meeting, rank, gpus, own_address, board) as workers:
        yield workers


@contextmanager
def _met(meeting: Meeting, rank: int, gpus: float, address: str, board: Board) -> Iterator[Workers]:
    device = torch.device("cuda", torch.cuda.current_device()) if gpus > 0 else torch.device("cpu")
    try:
        group = _group(board, rank, meeting.number, address, device)
    except RuntimeError as error:
        raise WorkerLostError(f"the trial's {meeting.number} workers did not meet: {error}") from error
    workers = Workers(rank, meeting.number, device, group, board)
    del group
    try:
        yield workers
    except BaseException as error:
        if not isinstance(error, WorkerLostError | GeneratorExit):
            workers.report(problem_of(error))
        raise
    finally:
        workers.leave()


def _group(board: Board, rank: int, number: int, address: str, device: torch.device) -> Any:
    """Return connections of an own group, by NCCL between GPUs, else by gloo at the address that the others reach."""
    kind = _torch.ProcessGroupNCCL if device.type == "cuda" else _torch.ProcessGroupGloo
    options = kind.Options() if device.type == "cuda" else kind._Options()  # noqa: SLF001 (torch's only way)
    options._timeout = ANSWER  # noqa: SLF001
    if device.type == "cpu":  # a host's own name may not lead to it
        options._devices = [kind.create_device(hostname=address)]  # noqa: SLF001
    return kind(board, rank, number, options)
