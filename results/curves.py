"""Scores against test-time missing rates of whole methods: the selected trials of a method serve as one system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from results.frame import StoreData
from results.selection import Group, Pick, ValidationScores, rule_named
from results.statistics import mean
from results.testbed import Profile, possible_patterns
from search_spaces.missing_rates import TENTHS, MissingRates, one_modality, shared_rates
from search_spaces.modality import FULL, Pattern

__all__ = ["Curve", "Curves", "Options", "curves_of", "families"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every table and figure of a report has in common.

    Attributes:
        metric: name in `results.metrics.METRICS`.
        route: `probe` or `head`; the two never meet in one table.
        rule: name of the selection rule.
        num_draws: seeds of the test-time draws.
    """

    metric: str = "macro_f1"
    route: str = "probe"
    rule: str = "best_validation"
    num_draws: int = 100


@dataclass(frozen=True)
class Curve:
    """Score against p_test = 0, 0.1, ..., 1.

    Attributes:
        values: per rate, one mean over the draws for each training seed; empty where there is none.
        trial_ids: per rate, the trials behind it.
        seeds: training seeds of the values, the same at every rate: those that have all patterns the curve needs.
        reasons: per rate, why there is no value.
    """

    values: tuple[tuple[float, ...], ...]
    trial_ids: tuple[tuple[str, ...], ...]
    reasons: tuple[str, ...]
    seeds: tuple[int, ...]


def families(modalities: Sequence[str]) -> dict[str, tuple[MissingRates, ...]]:
    """Return the test-time rates of MMPT's curves: each modality alone, and `all` of them at one rate."""
    return {name: one_modality(name) for name in sorted(modalities)} | {FULL: shared_rates(TENTHS)}


class Curves:
    """The selected trials of every method, and curves computed from them once.

    Each pattern is served by the trials that the method's profile reports in that column, so the ends of a curve are
    the numbers of the profile table (where all columns have the same seeds: a curve uses those they have in common).
    """

    def __init__(self, data: StoreData, options: Options) -> None:
        self._data = data
        self._options = options
        scores = ValidationScores(data.frame, options.metric, options.route)
        self.picks: Mapping[tuple[Group, str], Pick] = rule_named(options.rule).pick(scores)
        self.groups: list[Group] = sorted({group for group, _ in self.picks})
        self._of_group: Callable[[Group], dict[str, Curve]] = lru_cache(maxsize=None)(self._all_families)

    def modalities(self, group: Group) -> list[str]:
        """Return the modalities of a group's data set, sorted."""
        return sorted(self._data.samples[group.fingerprint].modalities)

    def pick(self, group: Group, pattern: str) -> Pick | None:
        """Return what was chosen for a pattern key, or None."""
        return self.picks.get((group, pattern))

    def curve(self, group: Group, family: str) -> Curve:
        """Return a group's curve of one family; all its curves are computed together, its trials read once."""
        return self._of_group(group)[family]

    def _all_families(self, group: Group) -> dict[str, Curve]:
        systems = self._put_together(group)
        rates_of = families(self.modalities(group))
        return {family: self._curve(group, rates, systems) for family, rates in rates_of.items()}

    def _curve(self, group: Group, rates: Sequence[MissingRates], every: Mapping[int, Profile]) -> Curve:
        needs = [possible_patterns(self.modalities(group), rate) for rate in rates]
        usable = [place for place, need in enumerate(needs) if all((group, one.key) in self.picks for one in need)]
        needed = {pattern for place in usable for pattern in needs[place]}
        systems = {seed: one for seed, one in every.items() if needed and one.parts.keys() >= needed}
        values: list[list[float]] = [[] for _ in rates]
        trial_ids: list[dict[str, None]] = [{} for _ in rates]
        chosen = [rates[place] for place in usable]
        for seed, system in systems.items():
            drawn = system.simulate(chosen, range(self._options.num_draws), self._options.metric)
            for place, scores in zip(usable, drawn, strict=True):
                values[place].append(mean(scores))
                trial_ids[place].update(dict.fromkeys(self._trials(group, seed, needs[place])))
        reasons = ["" if found else self._reason(group, need) for found, need in zip(values, needs, strict=True)]
        return Curve(tuple(map(tuple, values)), tuple(map(tuple, trial_ids)), tuple(reasons), tuple(systems))

    def _trials(self, group: Group, seed: int, needed: Sequence[Pattern]) -> list[str]:
        picks = [self.picks[group, pattern.key] for pattern in needed]
        return [pick.trial_ids[pick.seeds.index(seed)] for pick in picks]

    def _reason(self, group: Group, needed: Sequence[Pattern]) -> str:
        lacking = [pattern.key for pattern in needed if (group, pattern.key) not in self.picks]
        if not lacking:
            return f"{group.method} has no seed with logits for every pattern of the curve"
        return f"{group.method} has no logits for {', '.join(lacking)}"

    def _put_together(self, group: Group) -> dict[int, Profile]:
        sources: dict[int, dict[Pattern, Profile]] = {}
        read = lru_cache(maxsize=None)(self._read)
        for (other, key), pick in self.picks.items():
            if other == group:
                for seed, trial_id in zip(pick.seeds, pick.trial_ids, strict=True):
                    sources.setdefault(seed, {})[Pattern.from_key(key)] = read(trial_id)
        return {seed: Profile.put_together(parts) for seed, parts in sorted(sources.items())}

    def _read(self, trial_id: str) -> Profile:
        return self._data.profile(trial_id, route=self._options.route)


@lru_cache(maxsize=1)
def curves_of(data: StoreData, options: Options) -> Curves:
    """Return the curves of a store, the same object while a report is written."""
    return Curves(data, options)
