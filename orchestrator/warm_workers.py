"""Few workers start at once, and a trial waits for the one that starts for it: Tune alone does neither.

Starting a worker takes seconds of a core. Tune starts as many as there is room for, all at the same time, so that on a
machine with more slots than cores none is ready before the last. And it gives a worker that has become free to the
trial that waits longest, whose own worker, nearly started, then ends: with short trials that goes on for a whole sweep.
"""

from typing import Any

from ray.tune.schedulers import FIFOScheduler

__all__ = ["PatientScheduler", "WarmWorkers"]


class PatientScheduler(FIFOScheduler):
    """Leaves a free worker to a new trial, not to one whose own worker starts: Tune does if nobody tells it a trial."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ray declares no types here

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Choose none: all trials that wait are served in their order."""


class WarmWorkers:
    """Counts the workers that start and those that have become free, by Tune's ids of trials.

    Args:
        most_starts: so many may start at once.
    """

    def __init__(self, most_starts: int) -> None:
        self._most_starts = most_starts
        self._starting: set[str] = set()
        self._free = 0

    @property
    def has_place(self) -> bool:
        """True if another trial has a free worker, or may start one."""
        return self._free > 0 or len(self._starting) < self._most_starts

    def take(self, trial_id: str) -> None:
        """A trial is handed out: it takes a free worker or starts one."""
        if self._free:
            self._free -= 1
        else:
            self._starting.add(trial_id)

    def started(self, trial_id: str) -> None:
        """A trial runs."""
        self._starting.discard(trial_id)

    def ended(self, trial_id: str, *, alive: bool) -> None:
        """A trial's worker has become free, or is gone."""
        self._starting.discard(trial_id)
        self._free += alive
