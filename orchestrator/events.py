"""What happens during a sweep, told to whoever listens: the progress display, MLflow."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.plan import Plan, PlannedTrial
from results.schema import HistoryRow

__all__ = ["HistoryRow", "Listener", "Outcome"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a sweep ended. `done` + `failed` + `skipped` + `pending` = planned.

    Attributes:
        done: ids finished, earlier sweeps' included.
        trained: ids finished by this sweep.
        failed: id -> error, in one line.
        skipped: id -> the failed requirement that it waited for.
        pending: ids never finished because the sweep was interrupted.
    """

    done: frozenset[str]
    trained: frozenset[str]
    failed: dict[str, str]
    skipped: dict[str, str]
    pending: frozenset[str]


class Listener:
    """Receives the events of one sweep, in the driver; override what is of interest. Must not raise."""

    def sweep_started(self, plan: Plan) -> None:
        """The plan is fixed and trials are about to start."""

    def waiting(self, what: str, seconds: float) -> None:
        """No trial runs, because there is no room: `what` says for which resources, and `seconds` for how long."""

    def trial_started(self, trial: PlannedTrial) -> None:
        """A trial was handed to a worker."""

    def trial_progressed(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        """A trial finished one or more epochs; `rows` are new."""

    def trial_finished(self, trial: PlannedTrial) -> None:
        """A trial is whole in the store."""

    def trial_retried(self, trial: PlannedTrial, error: str) -> None:
        """A trial that was running, here or elsewhere, waits to be handed out again; `error` says why, if anything."""

    def trial_elsewhere(self, trial: PlannedTrial, holder: str) -> None:
        """A trial that was handed out is being trained by another sweep's `holder`; its result is waited for."""

    def trial_found(self, trial: PlannedTrial) -> None:
        """A trial is whole in the store because another sweep has trained it."""

    def trial_failed(self, trial: PlannedTrial, error: str) -> None:
        """A trial failed; its error is in the store."""

    def trial_skipped(self, trial: PlannedTrial, because: str) -> None:
        """A trial will not run because the trial with id `because` failed."""

    def sweep_ended(self, outcome: Outcome) -> None:
        """Nothing runs any more."""
