"""What comes after an attempt at a trial that did not finish: another attempt, a failure, or the end of the sweep."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from trainables.attempt import Attempt, Cause, Problem
from trainables.task import TrialTask

__all__ = ["CURES", "Retries", "Verdict"]

Verdict = Literal["again", "fail", "watch", "stop"]
"""`again`: hand it out once more; `fail`: it has failed; `watch`: another sweep has it; `stop`: no trial can go on."""

CURES: Mapping[Cause, str] = MappingProxyType(
    {
        "full_disk": "free some space",
        "unfit": "give that node the code and packages of this one, or take it out of the cluster",
    }
)
"""Causes that no other trial would survive either, and what lets the sweep go on that they stop."""

_MOST: Mapping[Cause, int] = MappingProxyType(
    {
        "method": 0,  # it would raise again
        "gpu_memory": 1,  # with a whole GPU
        "node": 10,  # not the trial's fault, unless it is the one that brings nodes down
    }
)


@dataclass
class Retries:
    """Counts a sweep's attempts at each trial and decides what comes next.

    Args:
        most: how often a trial is handed out again after its worker died or the store failed.
        first: what the first attempt at every trial is told.
    """

    most: int = 2
    first: Attempt = field(default_factory=Attempt)
    _problems: dict[str, list[Problem]] = field(default_factory=dict)
    _expired: dict[str, str] = field(default_factory=dict)
    _handed_out: Counter[str] = field(default_factory=Counter)

    def next_task(self, task: TrialTask) -> TrialTask:
        """Return what the next attempt at a trial is told, given what the first would be."""
        self._handed_out[task.trial_id] += 1
        attempt = replace(
            self.first,
            number=self._handed_out[task.trial_id],
            errors=tuple(self.errors(task.trial_id)),
            expired=self._expired.pop(task.trial_id, ""),
        )
        lacked_memory = any(problem.cause == "gpu_memory" for problem in self._problems.get(task.trial_id, ()))
        return replace(task, attempt=attempt, gpus=max(1, task.gpus) if lacked_memory else task.gpus)

    def after(self, trial_id: str, problem: Problem) -> Verdict:
        """Decide what comes after an attempt that ended with a problem."""
        if problem.cause == "leased":
            return "watch"
        if problem.cause in CURES:
            return "stop"
        problems = self._problems.setdefault(trial_id, [])
        problems.append(problem)
        bounded = {problem.cause} if problem.cause in _MOST else {"worker", "store"}
        times = sum(before.cause in bounded for before in problems)
        return "again" if times <= _MOST.get(problem.cause, self.most) else "fail"

    def errors(self, trial_id: str) -> list[str]:
        """Errors of a trial's attempts so far, one line each."""
        return [problem.error for problem in self._problems.get(trial_id, ())]

    def take_over(self, trial_id: str, state: str) -> None:
        """Remember that another sweep's lease has expired in this state: the next attempt may take the trial over."""
        self._expired[trial_id] = state
