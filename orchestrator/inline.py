"""The in-process executor: one trial after the other, without ray. For tests, debuggers and machines without ray."""

from collections.abc import Callable

from orchestrator.plan import PlannedTrial
from orchestrator.schedule import Schedule
from trainables.task import TrialTask
from trainables.trial import Trial

__all__ = ["run_inline"]


def run_inline(schedule: Schedule, make_task: Callable[[PlannedTrial], TrialTask]) -> None:
    """Work off a schedule in this process; Ctrl-C ends it between or within trials and propagates."""
    while (trial := schedule.next_ready()) is not None:
        schedule.started(trial)
        try:
            for rows in Trial(make_task(trial)).epochs():
                schedule.progressed(trial, rows)
        except Exception as error:  # noqa: BLE001 (whatever a method raises fails its trial, not the sweep)
            schedule.failed(trial, f"{type(error).__name__}: {error}")
        else:
            schedule.finished(trial)
