"""A plan in motion: which trials are ready, running, done, failed or skipped. Shared by both executors."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from orchestrator.events import Listener, Outcome
from orchestrator.plan import Plan, PlannedTrial
from results.schema import HistoryRow
from search_spaces.errors import MmptError

__all__ = ["Schedule"]


class Schedule:
    """Walks a plan and tells the listeners.

    Invariant: every planned trial is in exactly one of done, failed, skipped, running,
    elsewhere (in another sweep) and pending.

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
        self._elsewhere: dict[str, PlannedTrial] = {}
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
        """True if nothing will ever be handed out again; a running trial may be, if its worker dies."""
        if self._fail_fast and self._failed:
            return True
        return not (self._pending or self._running or self._elsewhere)

    @property
    def running(self) -> tuple[PlannedTrial, ...]:
        """Trials that were handed out and have not come back."""
        return tuple(self._running.values())

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

    def waiting(self, what: str, seconds: float) -> None:
        """Nothing has run for so many seconds, because there is no room."""
        for listener in self._listeners:
            listener.waiting(what, seconds)

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
        self._take_back(trial)
        self._done.add(trial.trial_id)
        self._trained.add(trial.trial_id)
        for listener in self._listeners:
            listener.trial_finished(trial)

    def again(self, trial: PlannedTrial, error: str = "") -> None:
        """A trial is to be handed out again, before all others, because an attempt ended with an error or elsewhere."""
        self._take_back(trial)
        self._pending = {trial.trial_id: trial, **self._pending}
        for listener in self._listeners:
            listener.trial_retried(trial, error)

    def elsewhere(self, trial: PlannedTrial, holder: str) -> None:
        """Another sweep trains a trial."""
        self._take_back(trial)
        self._elsewhere[trial.trial_id] = trial
        for listener in self._listeners:
            listener.trial_elsewhere(trial, holder)

    def found(self, trial: PlannedTrial) -> None:
        """Another sweep has put a trial into the store; what waited for it may be ready now."""
        self._take_back(trial)
        self._done.add(trial.trial_id)
        for listener in self._listeners:
            listener.trial_found(trial)

    def _take_back(self, trial: PlannedTrial) -> None:
        if self._running.pop(trial.trial_id, None) is None:
            del self._elsewhere[trial.trial_id]

    def failed(self, trial: PlannedTrial, error: str) -> None:
        """A trial failed; everything that needs it, directly or not, is skipped."""
        self._take_back(trial)
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
        """Return how it ended and tell the listeners; trials still running, here or elsewhere, count as pending.

        Raises:
            MmptError: planned trials are not accounted for, each exactly once.
        """
        pending = frozenset((*self._pending, *self._running, *self._elsewhere))
        outcome = Outcome(
            done=frozenset(self._done),
            trained=frozenset(self._trained),
            failed=dict(self._failed),
            skipped=dict(self._skipped),
            pending=pending,
        )
        _check_accounts(self._plan, outcome)
        for listener in self._listeners:
            listener.sweep_ended(outcome)
        return outcome


def _check_accounts(plan: Plan, outcome: Outcome) -> None:
    """Make sure that every planned trial is in exactly one of the outcome's sets, before any table is made of it."""
    counts = Counter(chain(outcome.done, outcome.failed, outcome.skipped, outcome.pending))
    planned = {trial.trial_id for trial in plan.trials}
    wrong = sorted(
        trial_id for trial_id in planned.union(counts) if (trial_id in planned, counts[trial_id]) != (True, 1)
    )
    if wrong:
        raise MmptError(
            f"{len(planned)} trials were planned, but {len(outcome.done)} done, {len(outcome.failed)} failed, "
            f"{len(outcome.skipped)} skipped and {len(outcome.pending)} pending ones do not add up: {', '.join(wrong)}"
        )
