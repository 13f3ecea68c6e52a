"""A plan in motion: which trials are ready, running, done, failed or skipped. Shared by both executors."""

from collections.abc import Sequence

from orchestrator.events import Listener, Outcome
from orchestrator.plan import Plan, PlannedTrial
from results.schema import HistoryRow

__all__ = ["Schedule"]


class Schedule:
    """Walks a plan and tells the listeners.

    Invariant: every planned trial is in exactly one of done, failed, skipped, running and pending.

    Args:
        plan: what is to be done.
        listeners: told of every event, in order.
        fail_fast: hand out nothing more after the first failure.
    """

    def __init__(self, plan: Plan, listeners: Sequence[Listener] = (), *, fail_fast: bool = False) -> None:
        self._plan = plan
        self._listeners = listeners
        self._fail_fast = fail_fast
        self._pending = {trial.trial_id: trial for trial in plan.todo}
        self._running: dict[str, PlannedTrial] = {}
        self._done = {trial.trial_id for trial in plan.done}
        self._trained: set[str] = set()
        self._failed: dict[str, str] = {}
        self._skipped: dict[str, str] = {}

    @property
    def plan(self) -> Plan:
        """What is worked off."""
        return self._plan

    @property
    def exhausted(self) -> bool:
        """True if nothing will ever be handed out again."""
        return not self._pending or (self._fail_fast and bool(self._failed))

    @property
    def num_pending(self) -> int:
        """Trials not handed out yet."""
        return len(self._pending)

    def next_ready(self) -> PlannedTrial | None:
        """Hand out the first trial whose requirements are all done; None if there is none now."""
        if self.exhausted:
            return None
        for trial_id, trial in self._pending.items():
            if all(need in self._done for need in trial.requires.values()):
                del self._pending[trial_id]
                self._running[trial_id] = trial
                return trial
        return None

    def started(self, trial: PlannedTrial) -> None:
        """A worker began a trial."""
        for listener in self._listeners:
            listener.trial_started(trial)

    def progressed(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        """A running trial has new history rows."""
        if rows:
            for listener in self._listeners:
                listener.trial_progressed(trial, rows)

    def finished(self, trial: PlannedTrial) -> None:
        """A trial is in the store; what waited for it may be ready now."""
        del self._running[trial.trial_id]
        self._done.add(trial.trial_id)
        self._trained.add(trial.trial_id)
        for listener in self._listeners:
            listener.trial_finished(trial)

    def failed(self, trial: PlannedTrial, error: str) -> None:
        """A trial failed; everything that needs it, directly or not, is skipped."""
        del self._running[trial.trial_id]
        self._failed[trial.trial_id] = error
        for listener in self._listeners:
            listener.trial_failed(trial, error)
        self._skip_dependents(trial.trial_id)

    def _skip_dependents(self, failed_id: str) -> None:
        for trial in [item for item in self._pending.values() if failed_id in item.requires.values()]:
            if self._pending.pop(trial.trial_id, None) is None:
                continue
            self._skipped[trial.trial_id] = failed_id
            for listener in self._listeners:
                listener.trial_skipped(trial, failed_id)
            self._skip_dependents(trial.trial_id)

    def begin(self) -> None:
        """Tell the listeners that the sweep starts."""
        for listener in self._listeners:
            listener.sweep_started(self._plan)

    def end(self) -> Outcome:
        """Return how it ended and tell the listeners; trials still running count as pending."""
        pending = frozenset((*self._pending, *self._running))
        outcome = Outcome(
            done=frozenset(self._done),
            trained=frozenset(self._trained),
            failed=dict(self._failed),
            skipped=dict(self._skipped),
            pending=pending,
        )
        counted = len(outcome.done) + len(outcome.failed) + len(outcome.skipped) + len(pending)
        assert counted == len(self._plan.trials), "every planned trial is accounted for"
        for listener in self._listeners:
            listener.sweep_ended(outcome)
        return outcome
