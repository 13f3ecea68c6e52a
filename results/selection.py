"""Which trials a table reports, decided by named rules that are given validation scores and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from search_spaces.errors import UnknownNameError

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
        config: hash of the spec without its seed.
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
    """Keep the rows of the configuration with the best mean over seeds on the member's main pattern."""
    main = member[member["pattern"] == reports.partition(",")[0]]
    means = main.groupby("config", sort=True)["value"].mean()
    return member if means.empty else member[member["config"] == means.idxmax()]


def _best_member(column: pd.DataFrame) -> Pick:
    """Among the members that report a column (or, if none does, have logits for it), pick the best one."""
    candidates = column[column["reported"]] if column["reported"].any() else column
    members = [rows for _, rows in candidates.groupby(["reports", "config"], sort=True)]
    best = max(members, key=lambda rows: float(rows["value"].mean())).sort_values(["seed", "trial_id"])
    seeds = tuple(int(seed) for seed in best["seed"])
    return Pick(tuple(best["trial_id"]), seeds, str(best["config"].iloc[0]), float(best["value"].mean()))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "best_validation": Rule(
            "best_validation",
            "Per method, the configuration with the best mean validation score over seeds; a method that trains one "
            "model per modality is represented in each column by the one that does best there on validation.",
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
