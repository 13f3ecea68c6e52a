"""The in-process executor: one trial after the other, without ray. For tests, debuggers and machines without ray."""

import time
from contextlib import closing

from orchestrator.attempts import WATCH_SECONDS, Attempts
from trainables.attempt import problem_of
from trainables.trial import Trial

__all__ = ["run_inline"]


def run_inline(attempts: Attempts) -> None:
    """Work off a schedule in this process; Ctrl-C ends it between or within trials and propagates.

    Raises:
        SweepStoppedError: no trial can go on.
    """
    schedule = attempts.schedule
    while not schedule.exhausted:
        handed_out = attempts.next()
        if handed_out is None:  # what is left is being trained by another sweep, or requires that
            time.sleep(WATCH_SECONDS)
            continue
        trial, task = handed_out
        schedule.started(trial)
        try:
            begun = Trial(task)
            with closing(begun.epochs()) as epochs:  # an interrupted trial gives up its lease here, not when forgotten
                for rows in epochs:
                    schedule.progressed(trial, rows)
        except Exception as error:  # noqa: BLE001 (whatever a method raises fails its trial, not the sweep)
            attempts.ended(trial, problem_of(error))
        else:
            (schedule.found if begun.found else schedule.finished)(trial)
