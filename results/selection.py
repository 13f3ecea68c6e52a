"""Which trials a table reports, decided by named rules that are given validation scores and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from results.statistics import mean
from search_spaces.errors import MmptError, UnknownNameError

__all__ = ["RULES", "Group", "Pick", "Rule", "ValidationScores", "rule_named"]


class Group(NamedTuple):
    """Trials that compete for the same place in a table."""

    dataset: str
    fingerprint: str
    fusion: str
    p_train: str
    method: str


@dataclass(frozen=True)
class Pick:
    """The chosen configuration of one method in one column.

    Attributes:
        trial_ids: its trials, one per seed, in the order of the seeds.
        seeds: theirs.
        config: hash of the spec without its seed, and of versions.
        validation: mean validation score in the column.
    """

    trial_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    config: str
    validation: float


class ValidationScores:
    """The rows of a frame that a rule may see: one metric and route, the validation split and no other.

    Args:
        scores: a frame with any rows; everything but validation rows is dropped here.
        metric: name of the metric that decides.
        route: `probe` or `head`.
    """

    def __init__(self, scores: pd.DataFrame, metric: str = "macro_f1", route: str = "probe") -> None:
        chosen = (scores["split"] == "val") & (scores["metric"] == metric) & (scores["route"] == route)
        columns = [*Group._fields, "trial_id", "config", "seed", "reports", "pattern", "reported", "value"]
        self.rows: pd.DataFrame = scores.loc[chosen, columns].reset_index(drop=True)

    def groups(self) -> list[tuple[Group, pd.DataFrame]]:
        """Return the rows of each group."""
        return [(Group(*map(str, key)), rows) for key, rows in self.rows.groupby(list(Group._fields), sort=True)]


Picks = Mapping[tuple[Group, str], Pick]


@dataclass(frozen=True)
class Rule:
    """A way to choose among trials.

    Attributes:
        name: how it is asked for.
        sentence: what it does, for captions.
        pick: returns for every group and pattern key the chosen trials.
    """

    name: str
    sentence: str
    pick: Callable[[ValidationScores], Picks]


def _best_validation(scores: ValidationScores) -> Picks:
    picks: dict[tuple[Group, str], Pick] = {}
    for group, rows in scores.groups():
        members = [_best_configuration(member, str(reports)) for reports, member in rows.groupby("reports", sort=True)]
        chosen = pd.concat(members)
        for pattern, column in chosen.groupby("pattern", sort=True):
            picks[group, str(pattern)] = _best_member(column)
    return picks


def _best_configuration(member: pd.DataFrame, reports: str) -> pd.DataFrame:
    """Keep the rows of the best configuration among those with the most seeds: a single lucky seed wins nothing."""
    main = member[member["pattern"] == reports.partition(",")[0]]
    found = {str(config): rows for config, rows in (member if main.empty else main).groupby("config", sort=True)}
    most = max(rows["seed"].nunique() for rows in found.values())
    complete = [config for config, rows in found.items() if rows["seed"].nunique() == most]
    best = max(complete, key=lambda config: mean(found[config]["value"]))
    return member[member["config"] == best]


def _best_member(column: pd.DataFrame) -> Pick:
    """Among the members that report a column (or, if none does, have logits for it), pick the best one.

    Raises:
        MmptError: two of its trials are of one configuration and seed.
    """
    candidates = column[column["reported"]] if column["reported"].any() else column
    members = [rows for _, rows in candidates.groupby(["reports", "config"], sort=True)]
    best = max(members, key=lambda rows: mean(rows["value"])).sort_values(["seed", "trial_id"])
    repeated = best[best["seed"].duplicated(keep=False)]
    if not repeated.empty:
        raise MmptError(
            f"trials {' and '.join(repeated['trial_id'])} are of one configuration and seed "
            f"({repeated['method'].iloc[0]}, seed {repeated['seed'].iloc[0]}): remove the folders of all but one"
        )
    seeds = tuple(int(seed) for seed in best["seed"])
    return Pick(tuple(best["trial_id"]), seeds, str(best["config"].iloc[0]), mean(best["value"]))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "best_validation": Rule(
            "best_validation",
            "Per method, of the configurations with the most seeds the one with the best mean validation score on the "
            "model's main pattern (all modalities, or those an expert is trained for); a method that trains one model "
            "per modality is represented in each column by the one that does best there on validation.",
            _best_validation,
        )
    }
)


def rule_named(name: str) -> Rule:
    """Return a selection rule.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in RULES:
        raise UnknownNameError("selection rule", name, RULES)
    return RULES[name]
