"""How methods stand over all data sets of a store: a score for each method and data set, ranks, and tests of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from results.candidates import Group
from results.cells import Origin
from results.layout import caption, differing_seeds, fusions_of_complete_data
from results.ranks import SIGNIFICANCE, Ranking, rank_methods
from results.statistics import mean
from results.systems import Systems
from search_spaces.modality import Pattern

__all__ = ["KINDS", "Standing", "standing_caption", "standings"]

KINDS: Mapping[str, Callable[[list[str]], list[Pattern]]] = MappingProxyType(
    {"all": lambda names: [Pattern(names)], "single": lambda names: [Pattern([name]) for name in names]}
)
"""Kind of score -> the patterns whose scores are averaged: all modalities available, or each of them alone."""
_SCORES = {
    "all": "test score with all modalities available",
    "single": "mean of the test scores with each modality alone",
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Methods of one fusion, trained on complete data, ranked over data sets by one kind of score.

    A data set counts once: of several versions (fingerprints) the one with the most trials. Ranks need every method on
    every data set. Where some are missing, methods are taken in by falling number of data sets, for as long as that
    gives the most scores: a data set that few methods have finished, or a method on few data sets, does not take the
    others out.

    Attributes:
        fusion: key.
        kind: key of `KINDS`.
        datasets: data sets that count, sorted; the others lack a ranked method's score.
        versions: data set -> the version in use, of all data sets with a score.
        passed_over: data set -> versions with fewer trials.
        scores: method -> data set -> mean test score over patterns and seeds; of data sets that do not count too.
        groups: (method, data set) -> where the score comes from.
        ranking: of the ranked methods on the data sets that count.
    """

    fusion: str
    kind: str
    datasets: tuple[str, ...]
    versions: Mapping[str, str]
    passed_over: Mapping[str, tuple[str, ...]]
    scores: Mapping[str, Mapping[str, float]]
    groups: Mapping[tuple[str, str], Group]
    ranking: Ranking

    def wins(self, method: str) -> int:
        """Return on how many data sets no ranked method scores higher; a shared first place counts for each."""
        ranked = self.ranking.average_ranks
        return sum(
            self.scores[method][name] == max(self.scores[other][name] for other in ranked) for name in self.datasets
        )

    def origin(self, systems: Systems, method: str) -> Origin:
        """Return the trials behind a method's scores, on the data sets that count if it is ranked, else on all."""
        names = self.datasets if method in self.ranking.average_ranks else sorted(self.scores[method])
        own = [self.groups[method, name] for name in names]
        picks = [
            systems.of(group).picks[pattern.key]
            for group in own
            for pattern in KINDS[self.kind](systems.modalities(group))
        ]
        return Origin(
            trial_ids=tuple(dict.fromkeys(trial_id for pick in picks for trial_id in pick.trial_ids)),
            seeds=tuple(sorted({seed for pick in picks for seed in pick.seeds})),
            rule=systems.options.rule,
            route=systems.options.route,
            fingerprint="+".join(sorted(group.fingerprint for group in own)),
            samples=sum(len(systems.data.samples[group.fingerprint].split("test")[0]) for group in own),
        )

    def about(self) -> dict[str, Any]:
        """Return data sets, scores and what the tests say, as plain data."""
        ranking = self.ranking
        pairs = [{"better": one, "worse": other, "p": p_value} for (one, other), p_value in ranking.nemenyi_p.items()]
        return {
            "fusion": self.fusion,
            "kind": self.kind,
            "datasets": self.datasets,
            "fingerprints": dict(self.versions),
            "scores": {method: dict(values) for method, values in self.scores.items()},
            "average_ranks": dict(ranking.average_ranks),
            "friedman_p": ranking.friedman_p,
            "critical_difference": ranking.critical_difference,
            "nemenyi": pairs,
            "alike": ranking.alike,
            "no_test": ranking.reason,
        }


def standing_caption(systems: Systems, standing: Standing) -> str:
    """Return what is ranked, over which data sets, and what the tests say, in sentences."""
    seeds = {seed for method in standing.scores for seed in standing.origin(systems, method).seeds}
    seeds_of = {
        systems.data.title("method", method): standing.origin(systems, method).seeds for method in standing.scores
    }
    titles = {name: systems.data.title("dataset", name) for name in standing.versions}
    left_out = [title for name, title in titles.items() if name not in standing.datasets]
    passed_over = "".join(
        f" {titles[name]} counts by its version {standing.versions[name][:8]}, which has the most trials, and not by "
        f"{', '.join(version[:8] for version in versions)}."
        for name, versions in standing.passed_over.items()
    )
    without = f" Left out, since a ranked method has no score there: {', '.join(left_out)}." if left_out else ""
    return (
        f"{caption(systems, list(standing.groups.values()), seeds)} Trained on complete data. Methods are ranked by "
        f"the {_SCORES[standing.kind]} (mean over seeds) on each data set: "
        f"{', '.join(titles[name] for name in standing.datasets)}. Rank 1 is the best; ties share the mean of their "
        f"ranks.{without}{passed_over} {differing_seeds(seeds_of)}{_tests(standing.ranking)}"
    )


def _tests(ranking: Ranking) -> str:
    if ranking.critical_difference is None:
        return f"No test of the ranks: {ranking.reason}."
    return (
        f"Friedman's test of all methods being equal: p = {ranking.friedman_p:.3g}. Nemenyi's critical difference at "
        f"the level {SIGNIFICANCE:g}: average ranks that are {ranking.critical_difference:.3f} or more apart differ "
        "significantly."
    )


@lru_cache(maxsize=2)
def standings(systems: Systems) -> tuple[Standing, ...]:
    """Return the standing of each fusion and kind for which a method trained on complete data has a score."""
    every = [_standing(systems, groups, kind) for groups in fusions_of_complete_data(systems) for kind in KINDS]
    return tuple(standing for standing in every if standing.groups)


def _standing(systems: Systems, groups: list[Group], kind: str) -> Standing:
    fusion = groups[0].fusion
    versions = _versions(systems, fusion)
    scores: dict[str, dict[str, float]] = {}
    found: dict[tuple[str, str], Group] = {}
    for group in groups:
        if group.fingerprint == versions[group.dataset][0]:
            own = scores.setdefault(group.method, {})
            value = _score(systems, group, KINDS[kind](systems.modalities(group)))
            if value is not None:
                own[group.dataset] = value
                found[group.method, group.dataset] = group
    methods, datasets = _largest_grid(scores)
    used = {name for _, name in found}
    return Standing(
        fusion=fusion,
        kind=kind,
        datasets=datasets,
        versions={name: versions[name][0] for name in sorted(used)},
        passed_over={name: versions[name][1:] for name in sorted(used) if versions[name][1:]},
        scores=scores,
        groups=found,
        ranking=rank_methods({method: [scores[method][name] for name in datasets] for method in methods}),
    )


def _versions(systems: Systems, fusion: str) -> dict[str, tuple[str, ...]]:
    """Return each data set's versions, most trials first; equal numbers in the order of their fingerprints."""
    trials = systems.data.trials
    own = trials[(trials["fusion"] == fusion) & (trials["p_train"] == "0")]
    counts = own.groupby(["dataset", "fingerprint"]).size().reset_index(name="trials")
    ordered = counts.sort_values(["dataset", "trials", "fingerprint"], ascending=[True, False, True])
    return {str(name): tuple(rows["fingerprint"]) for name, rows in ordered.groupby("dataset")}


def _score(systems: Systems, group: Group, needed: list[Pattern]) -> float | None:
    picks = systems.of(group).picks
    if any(pattern.key not in picks for pattern in needed):
        return None
    return mean(mean(systems.test_scores(picks[pattern.key], pattern)) for pattern in needed)


def _largest_grid(scores: Mapping[str, Mapping[str, float]]) -> tuple[list[str], tuple[str, ...]]:
    """Return methods and the data sets that all of them have, as `Standing` says; of equal numbers more methods."""
    ordered = sorted(scores, key=lambda method: (-len(scores[method]), method))
    prefixes = [ordered[: count + 1] for count in range(len(ordered))]
    grids = [(names, set.intersection(*(set(scores[name]) for name in names))) for names in prefixes]
    methods, datasets = max(grids, key=lambda grid: (len(grid[0]) * len(grid[1]), len(grid[0])))
    return methods, tuple(sorted(datasets))
