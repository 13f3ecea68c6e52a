"""What a sweep will cost, from what past trials of the same kind did cost."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from statistics import median

from orchestrator.plan import Estimate, Plan
from results.store import CorruptTrialError, Store
from search_spaces.spec import TrialSpec

__all__ = ["Cost", "cost_of", "past_durations"]

_MOST_READ = 5  # past trials of a kind that are looked at
_MOST_UNPLANNED = 50  # and of those that are in no plan of the store
_BYTES_PER_TRIAL = 250_000  # before there is any trial to measure

Kind = tuple[str, str, str]
"""Data set, method and fusion."""


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


def past_durations(store: Store, done_ids: Collection[str]) -> Estimate:
    """Return an estimate of seconds: the median over some finished trials of the same data set, method and fusion.

    Seconds are scaled by the number of epochs; without such a trial the answer is None. Nothing is read before a kind
    is asked for, and then a few trials of that kind.
    """
    known = cache(lambda: _trials_by_kind(store, done_ids))

    @cache
    def typical(kind: Kind) -> float | None:
        per_epoch = [_seconds_per_epoch(store, trial_id) for trial_id in known().get(kind, ())]
        measured = [seconds for seconds in per_epoch if seconds is not None]
        return median(measured) if measured else None

    def estimate(spec: TrialSpec) -> float | None:
        seconds = typical(_kind(spec))
        return None if seconds is None else seconds * spec.epochs

    return estimate


def _trials_by_kind(store: Store, done_ids: Collection[str]) -> dict[Kind, list[str]]:
    """Return some finished trials of each kind; the store's plans tell which trial is of which."""
    if not done_ids:
        return {}
    planned = store.planned()
    planned = planned[planned["trial_id"].isin(done_ids)]
    found: dict[Kind, list[str]] = {}
    for (dataset, method, fusion), own in planned.groupby(["dataset", "method", "fusion"]):
        ids = own["trial_id"].tolist()
        found[str(dataset), str(method), str(fusion)] = ids[:: max(1, len(ids) // _MOST_READ)][:_MOST_READ]
    for trial_id in sorted(set(done_ids) - set(planned["trial_id"]))[:_MOST_UNPLANNED]:
        with suppress(CorruptTrialError):
            found.setdefault(_kind(store.read_trial(trial_id).spec), []).append(trial_id)
    return found


def _seconds_per_epoch(store: Store, trial_id: str) -> float | None:
    try:
        record = store.read_trial(trial_id)
    except CorruptTrialError:
        return None
    seconds = record.fact("seconds/total")
    return None if seconds is None else seconds / record.spec.epochs


def cost_of(plan: Plan) -> Cost:
    """Add up what is left of a plan."""
    unknown = sorted({f"{trial.spec.method} on {trial.spec.dataset}" for trial in plan.todo if trial.seconds is None})
    seconds = sum(trial.seconds or 0.0 for trial in plan.todo)
    return Cost(
        hours=None if unknown else seconds / 3600,
        unknown=tuple(unknown),
        megabytes=len(plan.todo) * _BYTES_PER_TRIAL / 1e6,
    )


def _kind(spec: TrialSpec) -> Kind:
    return spec.dataset, spec.method, spec.fusion
