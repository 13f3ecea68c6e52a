"""Scores of a system against test-time missing rates: exact where the metric is linear, else simulated."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from results.metrics import metric_named
from results.missing_masks import Doubles
from results.missing_protocols import protocol_named
from results.statistics import mean
from results.systems import System, Systems
from results.testbed import Profile, simulate
from search_spaces.errors import InvalidValueError
from search_spaces.missing_rates import INDEPENDENT, TENTHS, MissingRates, one_modality, shared_rates
from search_spaces.modality import FULL, Pattern

__all__ = ["Curve", "curve", "families"]


@dataclass(frozen=True)
class Curve:
    """A system's score at several test-time missing rates.

    Attributes:
        values: per rate, one value for each training seed: an exact expectation or the mean over the draws; empty
            where there is none.
        errors: per rate, the standard error that the simulation leaves in the mean over seeds; 0 if exact.
        trial_ids: per rate, the trials behind it.
        reasons: per rate, why there is no value.
        seeds: training seeds of the values, the same at every rate: those that have all patterns the curve needs.
    """

    values: tuple[tuple[float, ...], ...]
    errors: tuple[float, ...]
    trial_ids: tuple[tuple[str, ...], ...]
    reasons: tuple[str, ...]
    seeds: tuple[int, ...]


def families(modalities: Sequence[str], missing: str = INDEPENDENT) -> dict[str, tuple[MissingRates, ...]]:
    """Return the test-time rates of MMPT's curves: each modality alone, and `all` of them at one rate.

    A family is left out if the protocol `missing` has none of its rates above zero.
    """
    every = {name: one_modality(name) for name in sorted(modalities)} | {FULL: shared_rates(TENTHS)}
    return {
        family: rates
        for family, rates in every.items()
        if any(rate and not _refusal(rate, modalities, missing) for rate in rates)
    }


def _refusal(rate: MissingRates, modalities: Sequence[str], missing: str) -> str:
    """Return why a protocol has no such rates; empty if it has."""
    try:
        protocol_named(missing).settle(rate, modalities)
    except InvalidValueError as error:
        return str(error)
    return ""


def curve(systems: Systems, system: System, rates: Sequence[MissingRates]) -> Curve:
    """Return a system's scores at these rates.

    Each pattern is served by the trials chosen for it, so the ends of a curve are numbers of the profile table (where
    all patterns have the same seeds: a curve uses those they have in common).
    """
    key = (*system.identity, tuple(rates))
    if key not in systems.curves:
        systems.curves[key] = _curve(systems, system, rates)
    found: Curve = systems.curves[key]
    return found


def _curve(systems: Systems, system: System, rates: Sequence[MissingRates]) -> Curve:
    modalities, missing = systems.modalities(system.group), systems.options.missing
    refusals = [_refusal(rate, modalities, missing) for rate in rates]
    needs = [[] if refusal else _needed(systems, system, rate) for rate, refusal in zip(rates, refusals, strict=True)]
    usable = [place for place, need in enumerate(needs) if need and all(one.key in system.picks for one in need)]
    needed = sorted({pattern for place in usable for pattern in needs[place]})
    seeds = system.seeds(needed)
    profiles = [systems.profile(system, seed, needed) for seed in seeds]
    drawn = _scores(systems, profiles, [rates[place] for place in usable]) if seeds else np.empty(0)
    values: list[tuple[float, ...]] = [()] * len(rates)
    trial_ids: list[tuple[str, ...]] = [()] * len(rates)
    errors = [0.0] * len(rates)
    for row, place in enumerate(usable if seeds else ()):
        each = drawn[:, row]  # (seeds, draws)
        values[place] = tuple(mean(found) for found in each)
        errors[place] = _standard_error(each.mean(axis=0))
        ids = [trial_id for seed in seeds for trial_id in system.trials(seed, needs[place])]
        trial_ids[place] = tuple(dict.fromkeys(ids))
    reasons = [
        "" if found else refusal or _reason(systems, system, need)
        for found, refusal, need in zip(values, refusals, needs, strict=True)
    ]
    return Curve(tuple(values), tuple(errors), tuple(trial_ids), tuple(reasons), seeds)


def _needed(systems: Systems, system: System, rate: MissingRates) -> list[Pattern]:
    """Return every pattern that a test sample can be left with."""
    modalities, protocol = systems.modalities(system.group), protocol_named(systems.options.missing)
    num_samples = systems.data.samples[system.group.fingerprint].count("test")
    return sorted(protocol.shares(modalities, protocol.settle(rate, modalities), num_samples))


def _scores(systems: Systems, profiles: Sequence[Profile], rates: Sequence[MissingRates]) -> Doubles:
    """Return (profiles, rates, draws) scores; a single draw where the expectation is exact."""
    options = systems.options
    if metric_named(options.metric).linear or protocol_named(options.missing).averages_patterns:
        return np.array([profile.expected(rates, options.metric, options.missing) for profile in profiles])[..., None]
    return simulate(profiles, rates, range(options.num_draws), options.metric, options.missing)


def _standard_error(draws: Doubles) -> float:
    return float(draws.std(ddof=1) / sqrt(len(draws))) if len(draws) > 1 else 0.0


def _reason(systems: Systems, system: System, needed: Sequence[Pattern]) -> str:
    method = systems.data.title("method", system.group.method)
    lacking = [pattern.key for pattern in needed if pattern.key not in system.picks]
    if lacking:
        return f"{method} has no logits for {', '.join(lacking)}"
    return f"{method} has no seed with logits for every pattern of the curve"
