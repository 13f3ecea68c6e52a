"""Selection rules as named objects: which of the competing configurations a table shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from results.candidates import KEYS, Group, SelectionScores
from results.options import Options
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError

__all__ = ["RULES", "Rule", "rule_named"]


@dataclass(frozen=True)
class Rule:
    """A way to choose among trials.

    Attributes:
        sentence: what it does, for captions.
        choose: given the scores and the options' `fixed` pairs, returns those rows of `SelectionScores.means` that it
            chooses, at most one per group and pattern.
        split: the split it reads.
    """

    sentence: str
    choose: Callable[[SelectionScores, Options], pd.DataFrame]
    split: str = "val"


def _with_most_seeds(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Keep the configurations with the most seeds among those that compete: a single lucky seed wins nothing."""
    return table[table["seeds"] == table.groupby(keys, observed=True)["seeds"].transform("max")]


def _highest(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    ordered = table.sort_values([*keys, "value", "config"], ascending=[*[True] * len(keys), False, True])
    return ordered.drop_duplicates(keys)


def _best_per_column(scores: SelectionScores, _: Options) -> pd.DataFrame:
    return _highest(_with_most_seeds(scores.means(), KEYS), KEYS)


def _best_on_main_pattern(scores: SelectionScores, _: Options) -> pd.DataFrame:
    table = scores.means()
    member = [*Group._fields, "reports"]
    main = table[table["pattern"] == table["reports"].str.partition(",")[0]]
    best = _highest(_with_most_seeds(main, member), member)
    return _highest(table.merge(best[[*member, "config"]], on=[*member, "config"]), KEYS)


def _check_fixed(scores: SelectionScores, options: Options) -> None:
    """Refuse axes and values that no configuration has, and two values for one axis."""
    known: dict[str, set[str]] = {}
    for axes in scores.axes.values():
        for axis, value in axes.items():
            known.setdefault(axis, set()).add(repr(value))
    for axis, value in options.fixed:
        if axis not in known:
            raise UnknownNameError("axis", axis, known)
        if repr(value) not in known[axis]:
            raise InvalidValueError(f"fixed {axis}", value, f"one of {', '.join(sorted(known[axis]))}")
        if [name for name, _ in options.fixed].count(axis) > 1:
            raise InvalidValueError(f"fixed {axis}", value, "one value for each axis")


def _fixed(scores: SelectionScores, options: Options) -> pd.DataFrame:
    _check_fixed(scores, options)
    kept = [
        config
        for config, axes in scores.axes.items()
        if all(axes.get(axis, value) == value for axis, value in options.fixed)
    ]
    table = scores.means()
    table = table[table["config"].isin(kept)]
    for keys, rows in table.groupby([*KEYS, "reports"], observed=True):
        if len(rows) > 1:
            raise MmptError(
                _ambiguous(str(keys[KEYS.index("method")]), [scores.axes[config] for config in rows["config"]])
            )
    return _highest(table, KEYS)


def _ambiguous(method: str, found: list[dict[str, object]]) -> str:
    axes = sorted({axis for one in found for axis in one})
    open_axes = [f"{axis} ({', '.join(sorted({str(one.get(axis)) for one in found}))})" for axis in axes]
    differing = [
        text for axis, text in zip(axes, open_axes, strict=True) if len({str(one.get(axis)) for one in found}) > 1
    ]
    return f"rule fixed: {method} has {len(found)} configurations left; fix also {', '.join(differing)}"


_MEMBERS = "A method that trains one model per modality is represented in each column by the one that does best there."
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "best_validation": Rule(
            "Per method and column, of the configurations with the most seeds the one with the best mean validation "
            "score in that column.",
            _best_per_column,
        ),
        "best_full": Rule(
            "Per method one configuration for all columns: of those with the most seeds the one with the best mean "
            f"validation score on the model's main pattern (all modalities, or those an expert is for). {_MEMBERS}",
            _best_on_main_pattern,
        ),
        "fixed": Rule(f"Hyperparameters were fixed beforehand; nothing was selected. {_MEMBERS}", _fixed),
        "oracle_test": Rule(
            "SELECTED ON THE TEST SET: per method and column the configuration with the best mean test score. These "
            "numbers are upper bounds and not comparable with numbers selected on validation.",
            _best_per_column,
            split="test",
        ),
    }
)
"""`best_validation` is the default; `oracle_test` needs `Options.allow_oracle`."""


def rule_named(name: str) -> Rule:
    """Return a selection rule.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in RULES:
        raise UnknownNameError("selection rule", name, RULES)
    return RULES[name]
