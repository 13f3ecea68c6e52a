"""One attempt at a trial, and what can end it besides success: the words between a worker and its driver."""

import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from results.leases import LEASE_SECONDS, LeaseLostError, TrialLeasedError
from results.patient_files import StoreFullError, StoreUnavailableError

__all__ = ["Attempt", "Cause", "Problem", "WorkerLostError", "problem_of"]

Cause = Literal["method", "gpu_memory", "worker", "unfit", "node", "store", "full_disk", "leased"]
"""What ended an attempt.

`method`: it raised an exception of its own; `gpu_memory`: CUDA ran out of memory; `worker`: its process died;
`unfit`: its process could not begin, because the node has other code or packages, or lacks some; `node`: the whole node
was lost; `store`: the store failed for too long; `full_disk`: there is no room left; `leased`: another sweep trains the
trial.
"""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Which of a sweep's attempts at a trial this is, and what it has to know about others.

    Attributes:
        sweep: token of the driver that hands the trial out.
        number: from 1.
        errors: of the earlier attempts, one line each.
        expired: state of another sweep's lease that the driver has seen expire; "" if there is none.
        lease_seconds: without a sign of life for so long the attempt loses the trial.
        patience_seconds: for how long it waits for a store that fails.
    """

    sweep: str = field(default_factory=lambda: uuid.uuid4().hex)
    number: int = 1
    errors: Sequence[str] = ()
    expired: str = ""
    lease_seconds: float = LEASE_SECONDS
    patience_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why an attempt ended: the cause, the error in one line, and its traceback."""

    cause: Cause
    error: str
    traceback: str = ""


class WorkerLostError(RuntimeError):
    """Another of the trial's workers ended; `cause` and message are that worker's if it left them."""

    def __init__(self, message: str, cause: Cause = "worker") -> None:
        super().__init__(message)
        self.cause = cause


_CAUSES: tuple[tuple[type[BaseException], Cause], ...] = (
    (TrialLeasedError, "leased"),
    (LeaseLostError, "leased"),
    (StoreFullError, "full_disk"),
    (StoreUnavailableError, "store"),
    (torch.cuda.OutOfMemoryError, "gpu_memory"),
)


def problem_of(error: BaseException) -> Problem:
    """Say what an exception that ended an attempt means; the cause may lie deeper, in what it was raised from."""
    text = "".join(traceback.format_exception(error))
    line = f"{type(error).__name__}: {error}"
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, WorkerLostError):
            return Problem(cause=link.cause, error=line, traceback=text)
        for kind, cause in _CAUSES:
            if isinstance(link, kind):
                return Problem(cause=cause, error=line, traceback=text)
        link = link.__cause__
    return Problem(cause="method", error=line, traceback=text)
