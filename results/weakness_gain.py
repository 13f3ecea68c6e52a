"""What the table and the figure of weakness share: how weak naive training leaves a modality, what others gain."""

from collections.abc import Mapping, Sequence
from math import isfinite, isinf

from results.candidates import Group
from results.cells import Cell, empty, scored
from results.layout import split_of_selection
from results.metrics import metric_named
from results.options import Options
from results.rules import rule_named
from results.systems import System, Systems
from results.weakness import losses_of, weakness_scores
from search_spaces.modality import Pattern

__all__ = ["NO_NAIVE", "gains", "meaning", "naive_groups", "weaknesses"]

NO_NAIVE = "no finished naive trial with p_train = 0"
"""Why there is neither the one nor the other."""
_METHOD = "naive"


def naive_groups(systems: Systems) -> list[Group]:
    """Return the groups of naive training on complete data that have a model of all modalities."""
    groups = [group for group in systems.groups if (group.method, group.p_train) == (_METHOD, "0")]
    return [group for group in groups if Pattern(systems.modalities(group)).key in systems.of(group).picks]


def meaning(options: Options) -> str:
    """Say in a caption's words what the two numbers are and how trials were selected."""
    return (
        "Weakness score: training-set loss of the probe on a modality, divided by the mean loss of the others'; below "
        "1: the stronger modality, above 1: the weaker one. Losses are those of fresh linear probes on frozen "
        f"features, whatever the route. Best minus naive: test {metric_named(options.metric).title} in points, of the "
        f"method other than naive training that does best with that modality alone on {split_of_selection(options)} "
        f"(unimodal experts included), less naive training's. Selection: {options.rule}. "
        f"{rule_named(options.rule).sentence} Route {options.route}."
    )


def weaknesses(systems: Systems, group: Group, names: Sequence[str]) -> list[Cell]:
    """Return the weakness score of each modality in a naive group's selected trials, over seeds."""
    modalities = systems.modalities(group)
    pick = systems.of(group).picks[Pattern(modalities).key]
    facts = systems.facts(group)
    found = {trial_id: weakness_scores(losses_of(facts[trial_id], modalities)) for trial_id in pick.trial_ids}
    return [
        _summary(systems, group, {key: one[name].score for key, one in found.items() if name in one}, name)
        for name in names
    ]


def gains(systems: Systems, group: Group, names: Sequence[str]) -> list[Cell]:
    """Return how much better than a naive group the best other method is with each modality alone."""
    others = [other for other in systems.groups if other[:4] == group[:4] and other.method != _METHOD]
    best = systems.best_fusion(others) if others else None
    return [_gain(systems, best, systems.of(group), name) for name in names]


def _summary(systems: Systems, group: Group, scores: Mapping[str, float], name: str) -> Cell:
    if name not in systems.modalities(group):
        return empty(f"{group.dataset} has no {name}")
    if not scores:
        return empty(f"no training-set loss of a probe on {name}")
    seeds = [systems.data.seed(trial_id) for trial_id in scores]
    origin = systems.origin(group, scores, seeds)
    if any(isinf(score) for score in scores.values()):
        return Cell(text="inf", reason="the other modalities' loss is practically zero", origin=origin)
    if not all(map(isfinite, scores.values())):
        return empty(f"a probe's training-set loss is not a finite number, so {name} has no score")
    return scored(list(scores.values()), origin)


def _gain(systems: Systems, best: System | None, naive: System, name: str) -> Cell:
    made = systems.difference(best, naive, Pattern([name])) if best else None
    return made or empty(f"{naive.group.dataset}, {naive.group.fusion} fusion: no other method predicts from {name}")
