"""How far a sweep is: done, failed, corrupt and missing trials of a plan, from the store alone."""

from dataclasses import dataclass

from orchestrator.plan import Plan, PlannedTrial
from results.store import Store

__all__ = ["SweepStatus", "sweep_status"]


@dataclass(frozen=True, kw_only=True)
class SweepStatus:
    """Every requested or required trial of a plan is in exactly one of these.

    Attributes:
        done: finished and whole.
        failed: (trial, its error).
        corrupt: (trial, what is wrong with its files); it will run again.
        missing: never finished, never failed.
    """

    done: tuple[PlannedTrial, ...]
    failed: tuple[tuple[PlannedTrial, str], ...]
    corrupt: tuple[tuple[PlannedTrial, str], ...]
    missing: tuple[PlannedTrial, ...]

    @property
    def complete(self) -> bool:
        """True if everything is done."""
        return not (self.failed or self.corrupt or self.missing)


def sweep_status(plan: Plan, store: Store, *, verify: bool = False) -> SweepStatus:
    """Sort a plan's trials by their state in the store; with `verify` every byte of finished trials is checked."""
    failures, corrupt = store.stored_failures(), store.corrupt(verify=verify)
    failed, damaged, missing = [], [], []
    for trial in plan.todo:
        if trial.trial_id in corrupt:
            damaged.append((trial, corrupt[trial.trial_id]))
        elif trial.trial_id in failures:
            failed.append((trial, failures[trial.trial_id].error))
        else:
            missing.append(trial)
    return SweepStatus(done=plan.done, failed=tuple(failed), corrupt=tuple(damaged), missing=tuple(missing))
