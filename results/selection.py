"""Which trials a table reports: a rule's choice, with one trial per seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd

from results.candidates import KEYS, Group, SelectionScores
from results.data import StoreData
from results.options import Options
from results.rules import rule_named
from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["Pick", "Picks", "select"]

_PICKED = ["trial_id", "seed", "config", "validation"]


@dataclass(frozen=True)
class Pick:
    """The chosen configuration of one method in one column.

    Attributes:
        trial_ids: its trials, one per seed, in the order of the seeds.
        seeds: theirs.
        config: hash of the spec without its seed, and of versions.
        validation: mean score in the column, on the split that the rule reads.
    """

    trial_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    config: str
    validation: float


Picks = Mapping[tuple[Group, str], Pick]
"""(group, pattern key) -> what a rule has chosen there."""


def select(data: StoreData, options: Options, parts: pd.DataFrame | None = None) -> Picks:
    """Return for every group and pattern key the trials that the options' rule chooses.

    Args:
        data: the trials to choose from.
        options: metric, route and rule.
        parts: parts of methods to choose within, in place of whole methods; see `SelectionScores.within`.

    Raises:
        UnknownNameError: no such rule, or a fixed axis that no trial has.
        InvalidValueError: the rule reads test scores and that was not allowed, or `fixed` lacks its pairs.
        MmptError: two chosen trials are of one configuration and seed, or `fixed` leaves several configurations.
    """
    rule = rule_named(options.rule)
    if rule.split != "val" and not options.allow_oracle:
        raise InvalidValueError(
            "selection rule", options.rule, "a rule that reads validation only; or allow the oracle"
        )
    if bool(options.fixed) != (options.rule == "fixed"):
        raise InvalidValueError(
            "fixed hyperparameters", dict(options.fixed), "pairs with the rule 'fixed' and only then"
        )
    scores = _scores(data, options.metric, options.route, rule.split)
    chosen = rule.choose(scores if parts is None else scores.within(parts), options)
    chosen = chosen[["candidate", "method", "value"]].rename(columns={"value": "validation"})
    return _picks(scores.rows.drop(columns="method").merge(chosen, on="candidate"))


@lru_cache(maxsize=1)
def _scores(data: StoreData, metric: str, route: str, split: str) -> SelectionScores:
    return SelectionScores(data, metric, route, split)


def _picks(rows: pd.DataFrame) -> Picks:
    """Return one pick per group and pattern; its rows are in the order of their seeds already."""
    order = np.argsort(rows.groupby(KEYS, sort=False, observed=True).ngroup().to_numpy(), kind="stable")
    columns = {name: rows[name].to_numpy(dtype=object)[order].tolist() for name in [*KEYS, *_PICKED]}
    keys = list(zip(*(columns[name] for name in KEYS), strict=True))
    starts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    found = {}
    for start, end in pairwise([*starts, len(keys)]):
        *group, pattern = keys[start]
        trial_ids, seeds, configs, validation = (columns[name][start:end] for name in _PICKED)
        if len(set(seeds)) < len(seeds):
            raise MmptError(_twice(trial_ids, seeds, group[-1]))
        found[Group(*group), pattern] = Pick(tuple(trial_ids), tuple(map(int, seeds)), configs[0], validation[0])
    return dict(sorted(found.items()))


def _twice(trial_ids: list[str], seeds: list[int], method: str) -> str:
    repeated = next(seed for seed in seeds if seeds.count(seed) > 1)
    named = [trial_id for trial_id, seed in zip(trial_ids, seeds, strict=True) if seed == repeated]
    return (
        f"trials {' and '.join(named)} are of one configuration and seed ({method}, seed {repeated}): "
        "keep one of them and leave out the others' stores, or remove their folders"
    )
