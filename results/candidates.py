"""The trials that compete for a place in a table, and the scores that a selection rule is allowed to see of them."""

from copy import copy
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from results.data import StoreData

__all__ = ["KEYS", "MEMBER", "Group", "SelectionScores"]

_DIGITS = 12  # differences below are rounding errors of a mean


class Group(NamedTuple):
    """Trials that compete for the same place in a table."""

    dataset: str
    fingerprint: str
    fusion: str
    p_train: str
    missing: str
    method: str


KEYS = [*Group._fields, "pattern"]
"""Columns that name one place in a table."""
MEMBER = ["reports", "config"]
"""Columns that name one of the models that compete for it; a model has one trial per seed."""


class SelectionScores:
    """What a rule may see: one metric and route on one split; validation, unless the user has allowed the oracle.

    Args:
        data: its scores on other splits are not read.
        metric: name of the metric that decides.
        route: `probe` or `head`.
        split: `val`, or `test` for the oracle.

    Attributes:
        rows: one row per trial and pattern: `Group`'s columns, `pattern`, `reported`, `reports`, `config`, `seed`,
            `trial_id`, `value`, and `candidate`, the number of a model that competes for one place; texts are
            categories.
        axes: configuration -> its axes without the seed.
        parts: parts of methods that compete in place of whole methods, see `within`; or None.
    """

    parts: pd.DataFrame | None = None

    def __init__(self, data: StoreData, metric: str = "macro_f1", route: str = "probe", split: str = "val") -> None:
        texts = [*Group._fields, *MEMBER]
        about = data.trials[[*texts, "seed", "trial_id"]].reset_index(drop=True).sort_values(["seed", "trial_id"])
        # Grouping and sorting by category compares numbers, not texts.
        about = about.astype(dict.fromkeys(texts, "category"))
        rows = data.scores(split, route, metric)[["trial_id", "pattern", "value"]].astype({"pattern": "category"})
        rows = about.merge(rows, on="trial_id")
        seen = rows[["reports", "pattern"]].drop_duplicates()
        pairs = zip(seen["reports"], seen["pattern"], strict=True)
        seen = seen.assign(reported=[pattern in reports.split(",") for reports, pattern in pairs])
        rows = rows.merge(seen, on=["reports", "pattern"])
        # Where a trial reports a column, trials that merely have logits for it do not compete.
        place = rows.groupby(KEYS, observed=True)["reported"]
        rows = rows[rows["reported"] | ~place.transform("any").astype(bool)]
        self.rows: pd.DataFrame = rows.assign(candidate=rows.groupby([*KEYS, *MEMBER], observed=True).ngroup())
        self.axes = data.axes

    def means(self) -> pd.DataFrame:
        """Return one row per group, pattern, `reports` and configuration: its mean `value` and number of `seeds`.

        `candidate` is its number in `rows`.
        """
        table = self._means
        if self.parts is None:
            return table
        parts = self.parts.astype({"config": table["config"].dtype, "part": "category"})
        return table.drop(columns="method").merge(parts.rename(columns={"part": "method"}), on="config")

    @cached_property
    def _means(self) -> pd.DataFrame:
        each = self.rows.groupby(["candidate", *KEYS, *MEMBER], observed=True)
        table = each.agg(value=("value", "mean"), seeds=("seed", "nunique")).reset_index()
        return table.assign(value=table["value"].round(_DIGITS))

    def within(self, parts: pd.DataFrame) -> "SelectionScores":
        """Return scores whose `means` take methods apart: configurations compete only within a part of their method.

        Args:
            parts: columns `config` and `part`, a text that takes the place of `method`; a configuration can be in
                several parts, and one that is in none does not compete.
        """
        made = copy(self)
        made.parts = parts
        return made
