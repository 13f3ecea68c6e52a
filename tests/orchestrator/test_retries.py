"""What follows from which end of an attempt."""

from pathlib import Path

import pytest
import torch

from orchestrator.retries import Retries
from results.leases import Lease, LeaseLostError, TrialLeasedError
from results.patient_files import StoreFullError, StoreUnavailableError
from trainables.attempt import Cause, Problem, problem_of
from trainables.task import TrialTask


def verdicts(retries: Retries, *causes: Cause) -> list[str]:
    return [retries.after("t", Problem(cause=cause, error=f"{cause}!")) for cause in causes]


def a_task(**changes: float) -> TrialTask:
    return TrialTask(trial_id="t", spec={}, store=str(Path.cwd()), cache="", **changes)  # type: ignore[arg-type]


def test_a_dead_worker_is_replaced_twice() -> None:
    assert verdicts(Retries(), "worker", "store", "worker") == ["again", "again", "fail"]
    assert verdicts(Retries(most=0), "worker") == ["fail"]


def test_a_method_that_raises_is_not_tried_again() -> None:
    assert verdicts(Retries(), "method") == ["fail"]
    assert verdicts(Retries(), "worker", "method") == ["again", "fail"]


def test_lost_nodes_are_no_failures_of_the_trial_but_not_without_end() -> None:
    assert verdicts(Retries(), "node", "node", "node", "worker", "worker", "worker") == ["again"] * 5 + ["fail"]
    assert verdicts(Retries(), *["node"] * 11) == ["again"] * 10 + ["fail"]


def test_memory_that_runs_out_is_tried_once_more_with_a_whole_gpu() -> None:
    retries = Retries()
    assert retries.next_task(a_task(gpus=0.25)).gpus == 0.25
    assert verdicts(retries, "gpu_memory") == ["again"]
    second = retries.next_task(a_task(gpus=0.25))
    assert (second.gpus, second.attempt.number, second.attempt.errors) == (1, 2, ("gpu_memory!",))
    assert verdicts(retries, "gpu_memory") == ["fail"]
    assert retries.next_task(a_task(gpus=2)).gpus == 2


def test_the_next_attempt_knows_which_lease_has_expired_once() -> None:
    retries = Retries()
    assert verdicts(retries, "leased") == ["watch"]
    retries.take_over("t", "somebody 3")
    assert retries.next_task(a_task()).attempt.expired == "somebody 3"
    assert retries.next_task(a_task()).attempt.expired == ""
    assert retries.errors("t") == []


@pytest.mark.parametrize("cause", ["full_disk", "unfit"])
def test_what_no_trial_would_survive_ends_the_sweep(cause: Cause) -> None:
    assert verdicts(Retries(), cause) == ["stop"]


def test_a_task_reaches_its_worker_as_plain_data() -> None:
    retries = Retries()
    verdicts(retries, "worker")
    task = retries.next_task(a_task())
    assert TrialTask.from_config(task.to_config()) == task


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("own"), "method"),
        (OSError("a file of the data set"), "method"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), "gpu_memory"),
        (StoreFullError("full"), "full_disk"),
        (StoreUnavailableError("away"), "store"),
        (TrialLeasedError(Lease(trial_id="t", number=1, sweep="s", attempt=1)), "leased"),
        (LeaseLostError("lost"), "leased"),
    ],
)
def test_the_cause_is_found_also_below_other_errors(error: Exception, cause: str) -> None:
    assert problem_of(error).cause == cause
    wrapped = RuntimeError("on the way")
    wrapped.__cause__ = error
    problem = problem_of(wrapped)
    assert problem.cause == cause
    assert problem.error == "RuntimeError: on the way"
    assert type(error).__name__ in problem.traceback
