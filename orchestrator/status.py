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
        running: (trial, who trains it).
        missing: never finished, never failed, and nobody is at it.
    """

    done: tuple[PlannedTrial, ...]
    failed: tuple[tuple[PlannedTrial, str], ...]
    corrupt: tuple[tuple[PlannedTrial, str], ...]
    running: tuple[tuple[PlannedTrial, str], ...]
    missing: tuple[PlannedTrial, ...]

    @property
    def complete(self) -> bool:
        """True if everything is done."""
        return not (self.failed or self.corrupt or self.running or self.missing)


def sweep_status(plan: Plan, store: Store, *, verify: bool = False) -> SweepStatus:
    """Sort a plan's trials by their state in the store; with `verify` every byte of finished trials is checked."""
    failures, corrupt = store.stored_failures(), store.corrupt(verify=verify)
    leases = {trial_id: lease for trial_id, lease in store.leases().items() if not lease.process.is_gone}
    failed, damaged, running, missing = [], [], [], []
    for trial in plan.todo:
        if trial.trial_id in leases:
            running.append((trial, str(leases[trial.trial_id].process)))
        elif trial.trial_id in corrupt:
            damaged.append((trial, corrupt[trial.trial_id]))
        elif trial.trial_id in failures:
            failed.append((trial, str(failures[trial.trial_id])))
        else:
            missing.append(trial)
    return SweepStatus(
        done=plan.done,
        failed=tuple(failed),
        corrupt=tuple(damaged),
        running=tuple(running),
        missing=tuple(missing),
    )
