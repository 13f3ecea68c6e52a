"""Systems: selected trials that serve together, each the availability pattern for which it was chosen.

A method is a system, since a rule may choose another configuration for every column; Best-Fusion is one over all
methods; a row of appendix B's grid is one whose patterns come from different p_train.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from results.candidates import Group
from results.cells import Cell, Origin, empty, scored
from results.data import StoreData
from results.options import Options
from results.resampling import Resampled, resample
from results.selected import SelectedTrials
from results.selection import Pick, select
from results.statistics import mean
from results.testbed import Profile
from search_spaces.modality import Pattern

__all__ = ["BEST_FUSION", "IMPUTATION", "System", "Systems", "systems_of"]

BEST_FUSION = "best_fusion"
"""The `method` of the group that Best-Fusion stands in."""
IMPUTATION = "vae_imputation"
"""The key of feature imputation (MMPT section 5): it has a table of its own and does not compete with methods."""


@dataclass(frozen=True)
class System:
    """Selected trials that serve together.

    Attributes:
        group: what it stands for in a table.
        picks: pattern key -> the trials that serve it.
        members: pattern key -> the group those trials were chosen from.
    """

    group: Group
    picks: Mapping[str, Pick]
    members: Mapping[str, Group]

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return what tells systems with other trials apart."""
        return (self.group, *sorted((key, pick.trial_ids) for key, pick in self.picks.items()))

    def seeds(self, needed: Iterable[Pattern]) -> tuple[int, ...]:
        """Return the training seeds that all of these patterns have, sorted; none if a pattern has no trials."""
        found = [set(self.picks[one.key].seeds) if one.key in self.picks else set() for one in needed]
        return tuple(sorted(set.intersection(*found))) if found else ()

    def trials(self, seed: int, needed: Iterable[Pattern]) -> tuple[str, ...]:
        """Return the trials of a seed that serve these patterns, each once."""
        picks = [self.picks[one.key] for one in needed]
        return tuple(dict.fromkeys(pick.trial_ids[pick.seeds.index(seed)] for pick in picks))


class Systems:
    """The systems of a store under one selection rule; what is read or computed is kept for the next table.

    Attributes:
        data: the store's content.
        options: metric, route, rule and so on.
        picks: (group, pattern key) -> the trials chosen there.
        groups: every group of a training method that has a pick, sorted; imputation, which builds on a trained model,
            is none of them.
        curves: what `results.curves` has computed so far.
    """

    def __init__(self, data: StoreData, options: Options) -> None:
        self.data = data
        self.options = options
        self.picks = select(data, options)
        self.groups: list[Group] = sorted({group for group, _ in self.picks if group.method != IMPUTATION})
        self.curves: dict[tuple[Any, ...], Any] = {}
        self._by_group: dict[Group, dict[str, Pick]] = {}
        for (group, key), pick in self.picks.items():
            self._by_group.setdefault(group, {})[key] = pick
        portions: dict[str, set[str]] = {}  # tables show one p_train or all of them
        for (group, _), pick in self.picks.items():
            portions.setdefault(group.p_train, set()).update(pick.trial_ids)
        self._selected = SelectedTrials(data, portions, options.route)

    def modalities(self, group: Group) -> list[str]:
        """Return the modalities of a group's data set, sorted."""
        return sorted(self.data.samples[group.fingerprint].modalities)

    def of(self, group: Group) -> System:
        """Return a method's system; without picks if the group has none."""
        picks = self._by_group.get(group, {})
        return System(group, picks, dict.fromkeys(picks, group))

    def best_fusion(self, groups: Iterable[Group]) -> System:
        """Return Best-Fusion (MMPT section 4.5) over groups of one data set and p_train.

        Each pattern is served by the group that does best there on validation, of those with the most seeds; equal
        scores go to the cheaper group (mean seconds of its trials). Groups of both fusions give the overall system.
        """
        competing = list(groups)
        members, picks = {}, {}
        for key in dict.fromkeys(key for group in competing for key in self.of(group).picks):
            found = {group: self.picks[group, key] for group in competing if (group, key) in self.picks}
            most = max(len(pick.seeds) for pick in found.values())
            found = {group: pick for group, pick in found.items() if len(pick.seeds) == most}
            highest = max(pick.validation for pick in found.values())
            level = [group for group, pick in found.items() if pick.validation == highest]
            winner = level[0] if len(level) == 1 else min(level, key=lambda group: self._cost(group, found[group]))
            members[key], picks[key] = winner, found[winner]
        fusions = "+".join(dict.fromkeys(group.fusion for group in competing))
        return System(competing[0]._replace(fusion=fusions, method=BEST_FUSION), picks, members)

    def profile(self, system: System, seed: int, needed: Iterable[Pattern]) -> Profile:
        """Return a system's predictions on test under these patterns, with one training seed.

        Raises:
            MissingLogitsError: a trial has no logits for a pattern it is to serve.
        """
        sources = {}
        for pattern in needed:
            pick = system.picks[pattern.key]
            sources[pattern] = self._selected.profile(pick.trial_ids[pick.seeds.index(seed)])
        return Profile.put_together(sources)

    def facts(self, group: Group) -> Mapping[str, Mapping[str, float]]:
        """Return whole-trial facts of a group's selected trials and maybe others: trial id -> name -> value."""
        return self._selected.facts(group.p_train)

    def test_scores(self, pick: Pick, pattern: Pattern) -> list[float]:
        """Return the test score of each of a pick's trials under a pattern."""
        about = {"metric": self.options.metric, "route": self.options.route}
        return [self.data.test_score(trial_id, pattern.key, **about) for trial_id in pick.trial_ids]

    def origin(self, group: Group, trial_ids: Iterable[str], seeds: Iterable[int]) -> Origin:
        """Return where a number of a group comes from."""
        return Origin(
            trial_ids=tuple(dict.fromkeys(trial_ids)),
            seeds=tuple(sorted(set(seeds))),
            rule=self.options.rule,
            route=self.options.route,
            fingerprint=group.fingerprint,
            samples=self.data.samples[group.fingerprint].count("test"),
        )

    def cell(self, system: System, pattern: Pattern) -> Cell | None:
        """Return a system's test score under a pattern, over seeds; None if nothing was chosen for it."""
        pick = system.picks.get(pattern.key)
        if pick is None:
            return None
        made = scored(self.test_scores(pick, pattern), self.origin(system.group, pick.trial_ids, pick.seeds))
        resampled = self.resampled(system, pattern, pick.seeds)
        return replace(made, interval=resampled.estimate().interval() if resampled else None)

    def difference(self, first: System, second: System, pattern: Pattern) -> Cell | None:
        """Return how much better the first system is under a pattern, seed by seed; None if one of them lacks it.

        Only training seeds that both have count; without any the cell is empty and says so.
        """
        seeds = [seed for seed in first.seeds([pattern]) if seed in second.seeds([pattern])]
        picks = [system.picks.get(pattern.key) for system in (first, second)]
        if picks[0] is None or picks[1] is None:
            return None
        if not seeds:
            return empty("no training seed in common")
        trials = [
            trial_id for system in (first, second) for seed in seeds for trial_id in system.trials(seed, [pattern])
        ]
        origin = self.origin(first.group, trials, seeds)
        mine, theirs = (
            dict(zip(pick.seeds, self.test_scores(pick, pattern), strict=True)) for pick in (picks[0], picks[1])
        )
        made = scored([mine[seed] - theirs[seed] for seed in seeds], origin)
        both = [self.resampled(system, pattern, seeds) for system in (first, second)]
        paired = both[0] - both[1] if both[0] and both[1] else None
        return replace(made, interval=paired.estimate().interval() if paired else None)

    def resampled(self, system: System, pattern: Pattern, seeds: Sequence[int]) -> Resampled | None:
        """Return a system's scores on bootstrap resamples of the test samples; None if the options ask for none."""
        if not self.options.num_resamples:
            return None
        profiles = [self.profile(system, seed, [pattern]) for seed in seeds]
        parts = [profile.part(pattern) for profile in profiles]
        return resample(parts, profiles[0].targets, self.options.metric, resamples=self.options.num_resamples)

    def _cost(self, group: Group, pick: Pick) -> float:
        facts = self.facts(group)
        return mean(facts[trial_id].get("seconds/total", float("inf")) for trial_id in pick.trial_ids)


@lru_cache(maxsize=1)
def systems_of(data: StoreData, options: Options) -> Systems:
    """Return the systems of a store, the same object while a report is written."""
    return Systems(data, options)
