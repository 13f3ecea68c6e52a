"""What Tune sees of a sweep's trials, in the driver, told to its schedule."""

import re
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as TuneTrial

from orchestrator.attempts import Attempts
from orchestrator.cluster_guard import ClusterGuard
from orchestrator.plan import PlannedTrial
from orchestrator.searcher import PlanSearcher
from results.schema import HistoryRow
from search_spaces.errors import MmptError
from trainables.attempt import Problem

__all__ = ["ScheduleCallback"]

_OUR_ERROR = f"{MmptError.__module__}.{MmptError.__name__}: "
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # colours
_NODE_LOST = re.compile(r"node has (?:died|crashed)|preempt|node was terminated|marked dead", re.IGNORECASE)


class ScheduleCallback(tune.Callback):
    """Tells the schedule what Tune sees.

    Args:
        attempts: the sweep's.
        searcher: knows which trial is which.
        guard: asked before every step of Tune's loop whether there still is a cluster.
    """

    def __init__(self, attempts: Attempts, searcher: PlanSearcher, guard: ClusterGuard) -> None:
        self._attempts = attempts
        self._schedule = attempts.schedule
        self._searcher = searcher
        self._guard = guard
        self._problems: dict[str, Problem] = {}

    def on_step_begin(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        """Stop if the cluster is gone."""
        del iteration, trials, info
        self._guard.check()

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """Forward the start."""
        del iteration, trials, info
        self._searcher.workers.started(trial.trial_id)
        self._schedule.started(self._planned(trial))

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        """Forward new history rows; remember why the attempt is about to end."""
        del iteration, trials, info
        self._schedule.progressed(self._planned(trial), [HistoryRow(*row) for row in result.get("rows", ())])
        if "problem" in result:
            self._problems[trial.trial_id] = Problem(**result["problem"])

    def on_trial_complete(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A trial ended by itself, so it is in the store unless it has told a problem."""
        del iteration, trials, info
        self._searcher.workers.ended(trial.trial_id, alive=True)
        problem = self._problems.pop(trial.trial_id, None)
        if problem is not None:
            self._attempts.ended(self._planned(trial), problem)
        elif (trial.last_result or {}).get("found"):
            self._schedule.found(self._planned(trial))
        else:
            self._schedule.finished(self._planned(trial))

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A trial raised, after telling why, or its worker died without a word."""
        del iteration, trials, info
        self._searcher.workers.ended(trial.trial_id, alive=False)
        problem = self._problems.pop(trial.trial_id, None)
        if problem is None:
            report = Path(trial.error_file).read_text(encoding="utf-8") if trial.error_file else ""
            problem = _silent_death(_ESCAPES.sub("", report))
        self._attempts.ended(self._planned(trial), problem)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its parts in order to restore them; nothing here is ever restored."""
        return {}

    def _planned(self, trial: TuneTrial) -> PlannedTrial:
        return self._searcher.trials[trial.trial_id]


def _silent_death(report: str) -> Problem:
    """Read what Ray reports of a worker that is gone: it died alone, or with its node."""
    lines = [line.strip() for line in report.splitlines()]
    lines = [line for line in lines if line and not line.startswith("Failure #")]
    if _NODE_LOST.search(report):
        return Problem(
            cause="node", error="the worker died with its node, or its node was taken away", traceback=report
        )
    if not lines:
        return Problem(cause="worker", error="the worker died without a report")
    if "raised in its creation task" in lines[0]:  # it says why at the end
        return Problem(cause="unfit", error=lines[-1].removeprefix(_OUR_ERROR), traceback=report)
    error = f"the worker died: {lines[0]}" if "died" in lines[0] else lines[-1]
    return Problem(cause="worker", error=error, traceback=report)
