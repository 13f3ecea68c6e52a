"""Appendix B of MMPT: which trials serve which pattern when modalities are missing in training and in testing."""

from collections.abc import Mapping, Sequence

from results.candidates import Group
from results.systems import System, Systems
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import FULL, Pattern

__all__ = ["grid_row", "missing_in_training", "training_rates"]


def missing_in_training(p_train: str, modalities: Sequence[str]) -> dict[str, float]:
    """Return train family -> rate for missing rates as text; rates of zero belong to every family.

    >>> missing_in_training("audio:0.3", ["audio", "image"])
    {'audio': 0.3}
    """
    parsed = MissingRates.parse(p_train).resolve(modalities)
    highest = max(parsed.rates.values(), default=0.0)
    levels = {FULL: MissingRates.shared(highest), **{name: MissingRates({name: highest}) for name in modalities}}
    return {family: highest for family, rates in levels.items() if rates.resolve(modalities) == parsed}


def training_rates(groups: Sequence[Group], modalities: Sequence[str]) -> dict[str, dict[float, list[Group]]]:
    """Sort groups of one data set and fusion: train family -> rate -> groups; only families with a rate above 0."""
    found: dict[str, dict[float, list[Group]]] = {}
    for group in groups:
        for family, rate in missing_in_training(group.p_train, modalities).items():
            found.setdefault(family, {}).setdefault(rate, []).append(group)
    return {family: dict(sorted(rates.items())) for family, rates in sorted(found.items()) if max(rates) > 0}


def grid_row(systems: Systems, family: str, trained: System, complete: System | None) -> System:
    """Return the system of one row of the grid.

    With modality m missing in training at p_train, predictions from patterns that contain m come from trials trained
    at p_train. Patterns without m come from trials trained on all data: for them nothing was missing. So a test-time
    loss of m leaves the other modality's expert, trained on 100 % of its data.

    Args:
        systems: of the store.
        family: what is missing in training: a modality, or `all` at one rate, where every pattern has lost data.
        trained: the system trained at p_train.
        complete: the same with p_train = 0; None leaves all patterns to `trained`.
    """
    lost = set(systems.modalities(trained.group)) if family == FULL else {family}
    untouched = [key for key in trained.picks if not lost.intersection(Pattern.from_key(key))]
    if complete is None or not untouched:
        return trained
    kept: Mapping[str, System] = {
        key: complete if key in untouched and key in complete.picks else trained for key in trained.picks
    }
    return System(
        trained.group,
        {key: system.picks[key] for key, system in kept.items()},
        {key: system.members[key] for key, system in kept.items()},
    )
