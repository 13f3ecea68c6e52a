"""How well a selected model does on each class, with all modalities and with any one of them missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from results.candidates import Group
from results.counts import Counts, Doubles, ratio
from results.selection import Pick
from results.systems import System, Systems
from search_spaces.modality import Pattern

__all__ = ["NOTHING", "ClassScores", "best_of", "class_scores", "one_missing"]

NOTHING = ""
"""What is missing when everything is available."""


@dataclass(frozen=True)
class ClassScores:
    """F1 per class on test, for every pattern in which at most one modality is missing.

    Attributes:
        system: whose predictions these are.
        names: the classes that test samples have, in the data set's order.
        absent: the classes without a test sample, of which nothing can be said.
        values: what is missing (a modality or `NOTHING`) -> (seeds, classes), fractions.
        picks: what is missing -> the trials, one per seed.
    """

    system: System
    names: tuple[str, ...]
    absent: tuple[str, ...]
    values: Mapping[str, Doubles]
    picks: Mapping[str, Pick]

    @cached_property
    def means(self) -> dict[str, Doubles]:
        """Return the means over seeds: what is missing -> (classes,)."""
        return {missing: values.mean(axis=0) for missing, values in self.values.items()}

    @cached_property
    def order(self) -> list[int]:
        """Return the places of the classes, the one first that loses most when one modality goes missing."""
        drops = [self.means[NOTHING] - found for missing, found in self.means.items() if missing != NOTHING]
        return [int(place) for place in np.argsort(-np.max(drops, axis=0), kind="stable")] if drops else []


def one_missing(modalities: Sequence[str]) -> dict[str, Pattern]:
    """Return what is missing -> the pattern that is left; a data set of one modality cannot lose it."""
    others = {name: [other for other in modalities if other != name] for name in sorted(modalities)}
    return {NOTHING: Pattern(modalities), **{name: Pattern(left) for name, left in others.items() if left}}


def best_of(systems: Systems, groups: Iterable[Group]) -> System | None:
    """Return the method that is best on validation with all modalities, of those that predict without any one of them.

    None if there is none. The groups are of one data set.
    """
    usable = [
        group
        for group in groups
        if all(one.key in systems.of(group).picks for one in one_missing(systems.modalities(group)).values())
    ]
    if not usable:
        return None
    full = Pattern(systems.modalities(usable[0]))
    return systems.of(systems.best_fusion(usable).members[full.key])


def class_scores(systems: Systems, system: System) -> ClassScores:
    """Return a system's F1 per class, each pattern served by the trials selected for it."""
    values, picks = {}, {}
    for missing, pattern in one_missing(systems.modalities(system.group)).items():
        picks[missing] = system.picks[pattern.key]
        profiles = [systems.profile(system, seed, [pattern]) for seed in picks[missing].seeds]
        sums = np.stack([profile.part(pattern).sum(axis=0) for profile in profiles])
        counts = Counts.of(sums, profiles[0].targets)
        values[missing] = ratio(2 * counts.true_positive, counts.predicted + counts.actual)
    seen = counts.actual > 0
    names = systems.data.samples[system.group.fingerprint].class_names
    return ClassScores(
        system,
        names=tuple(name for name, has in zip(names, seen, strict=True) if has),
        absent=tuple(name for name, has in zip(names, seen, strict=True) if not has),
        values={missing: found[:, seen] for missing, found in values.items()},
        picks=picks,
    )
