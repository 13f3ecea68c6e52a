"""A Tune searcher that walks a plan: a trial is handed out once everything it requires is done."""

from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from orchestrator.plan import PlannedTrial
from orchestrator.schedule import Schedule

__all__ = ["PlanSearcher"]


class PlanSearcher(Searcher):
    """Hands out a plan's trials to Tune in the plan's order.

    Args:
        schedule: what is ready; kept up to date by the driver's callback.
        make_config: planned trial -> Tune config.
        limit: most trials that one Tune experiment holds in memory.
    """

    def __init__(self, schedule: Schedule, make_config: Callable[[PlannedTrial], dict[str, Any]], limit: int) -> None:
        super().__init__(metric="done", mode="max")
        self._schedule = schedule
        self._make_config = make_config
        self._left = limit
        self.trials: dict[str, PlannedTrial] = {}

    def suggest(self, trial_id: str) -> Any:
        """Return the next ready trial's config, None to wait, or FINISHED."""
        if self._left == 0 or self._schedule.exhausted:
            return Searcher.FINISHED
        trial = self._schedule.next_ready()
        if trial is None:
            return None
        self._left -= 1
        self.trials[trial_id] = trial
        return self._make_config(trial)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing to do: the driver's callback keeps the schedule."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its parts in order to restore them; nothing here is ever restored."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: planning again is how a sweep resumes."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore, see `save`."""
