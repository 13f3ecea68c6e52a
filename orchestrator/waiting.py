"""Says what a sweep waits for while the cluster has no room for any of its trials."""

import time
from collections.abc import Mapping
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as TuneTrial

from orchestrator.capacity import waiting_for
from orchestrator.schedule import Schedule

__all__ = ["WaitingCallback"]

FIRST_SECONDS = 10.0
"""Without a running trial until it is said for the first time; then after twice as long each time."""

_LONGEST_SECONDS = 600.0


class WaitingCallback(tune.Callback):
    """Tells the schedule's listeners that trials wait for resources, again and again while they do.

    Args:
        schedule: whose listeners are told.
        resources: of one trial.
    """

    def __init__(self, schedule: Schedule, resources: Mapping[str, Any]) -> None:
        self._schedule = schedule
        self._resources = resources
        self._since = time.monotonic()
        self._pause = FIRST_SECONDS
        self._next = self._since + self._pause

    def on_step_begin(self, iteration: int, trials: list[TuneTrial], **info: Any) -> None:
        """Look whether anything runs."""
        del iteration, info
        now = time.monotonic()
        states = {trial.status for trial in trials}
        if TuneTrial.RUNNING in states or TuneTrial.PENDING not in states:
            self._since, self._pause = now, FIRST_SECONDS
            self._next = now + self._pause
        elif now >= self._next:
            self._schedule.waiting(waiting_for(self._resources), now - self._since)
            self._pause = min(2 * self._pause, _LONGEST_SECONDS)
            self._next = now + self._pause

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its parts in order to restore them; nothing here is ever restored."""
        return {}
