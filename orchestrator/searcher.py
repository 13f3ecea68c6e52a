"""A Tune searcher that walks a plan: a trial is handed out once everything it requires is done."""

from typing import Any

from ray.tune.search import Searcher

from orchestrator.attempts import Attempts
from orchestrator.cluster_guard import ClusterGuard
from orchestrator.plan import PlannedTrial
from orchestrator.warm_workers import WarmWorkers

__all__ = ["PlanSearcher"]


class PlanSearcher(Searcher):
    """Hands out a plan's trials to Tune in the plan's order.

    Args:
        attempts: what is ready; kept up to date by the driver's callback.
        guard: asked whether there still is a cluster.
        limit: most trials that one Tune experiment holds in memory.
        workers: say whether a trial has a place to run; kept up to date by the driver's callback.
    """

    def __init__(self, attempts: Attempts, guard: ClusterGuard, limit: int, workers: WarmWorkers) -> None:
        super().__init__(metric="done", mode="max")
        self._attempts = attempts
        self._guard = guard
        self._left = limit
        self.workers = workers
        self.trials: dict[str, PlannedTrial] = {}

    def suggest(self, trial_id: str) -> Any:
        """Return the next ready trial's config, None to wait, or FINISHED."""
        self._guard.check()
        if self._left == 0 or self._attempts.schedule.exhausted:
            return Searcher.FINISHED
        handed_out = self._attempts.next() if self.workers.has_place else None
        if handed_out is None:
            return None
        self._left -= 1
        self.workers.take(trial_id)
        self.trials[trial_id], task = handed_out
        return task.to_config()

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Nothing to do: the driver's callback keeps the schedule."""

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its parts in order to restore them; nothing here is ever restored."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: planning again is how a sweep resumes."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore, see `save`."""
