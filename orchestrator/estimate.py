"""What a sweep will cost, from what past trials of the same kind did cost."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from orchestrator.plan import Estimate, Plan
from results.store import Store
from search_spaces.spec import TrialSpec

__all__ = ["Cost", "cost_of", "past_durations"]

_MOST_READ = 200  # past trials that are looked at
_BYTES_PER_TRIAL = 250_000  # before there is any trial to measure


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the trials of a plan that are not done will take.

    Attributes:
        hours: core-hours (or GPU-hours, for trials on a GPU); None if no trial of some kind was ever finished here.
        unknown: "method on data set" kinds without a finished trial.
        megabytes: disk for their results.
    """

    hours: float | None
    unknown: tuple[str, ...]
    megabytes: float


def past_durations(store: Store) -> Estimate:
    """Return an estimate of seconds: the median over finished trials of the same data set, method and fusion.

    Seconds are scaled by the number of epochs; without such a trial the answer is None.
    """
    per_epoch: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for trial_id in sorted(store.done_ids())[:_MOST_READ]:
        record = store.read_trial(trial_id)
        seconds = record.fact("seconds/total")
        if seconds is not None:
            per_epoch[_kind(record.spec)].append(seconds / record.spec.epochs)
    typical = {kind: median(values) for kind, values in per_epoch.items()}

    def estimate(spec: TrialSpec) -> float | None:
        seconds = typical.get(_kind(spec))
        return None if seconds is None else seconds * spec.epochs

    return estimate


def cost_of(plan: Plan) -> Cost:
    """Add up what is left of a plan."""
    unknown = sorted({f"{trial.spec.method} on {trial.spec.dataset}" for trial in plan.todo if trial.seconds is None})
    seconds = sum(trial.seconds or 0.0 for trial in plan.todo)
    return Cost(
        hours=None if unknown else seconds / 3600,
        unknown=tuple(unknown),
        megabytes=len(plan.todo) * _BYTES_PER_TRIAL / 1e6,
    )


def _kind(spec: TrialSpec) -> tuple[str, str, str]:
    return spec.dataset, spec.method, spec.fusion
