"""Methods taken apart by their axes: what is chosen among the configurations that share a value."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from results.candidates import MEMBER, Group
from results.selection import Pick, select
from results.systems import System, Systems
from search_spaces.spec import Value

__all__ = ["MethodPart", "method_parts"]


class MethodPart(NamedTuple):
    """The configurations of a method that have one value on one axis."""

    method: str
    axis: str
    value: Value


def method_parts(
    systems: Systems, trials: pd.DataFrame, axes: Iterable[str] | None = None
) -> dict[tuple[Group, MethodPart], System]:
    """Return for each part of each group the system that the options' rule chooses within it, as for whole methods.

    Args:
        systems: of the store.
        trials: the rows of the store's trials whose methods are taken apart.
        axes: by which; None: those that vary within a method, fusion, p_train and protocol on some data set. What a
            trial reports is no choice: an axis varies where trials differ on it that report the same.
    """
    each = trials.drop_duplicates([*Group._fields, *MEMBER]).reset_index(drop=True)
    values = pd.DataFrame([systems.data.axes[config] for config in each["config"]], dtype=object)
    chosen = _varying(each, values) if axes is None else {axis: values[axis].notna() for axis in axes if axis in values}
    rows = [each.loc[here, ["method", "config"]].assign(axis=axis, value=values[axis]) for axis, here in chosen.items()]
    return _systems_of_parts(systems, pd.concat(rows)) if rows else {}


def _varying(each: pd.DataFrame, values: pd.DataFrame) -> dict[str, pd.Series]:
    """Return axis -> in which rows it varies."""
    group = each.groupby([*Group._fields, "reports"], sort=False).ngroup()
    place = each.groupby(["method", "fusion", "p_train", "missing"], sort=False).ngroup()
    found = {}
    for axis in values:
        known = values[axis].notna()
        distinct = pd.DataFrame({"group": group, "value": pd.factorize(values[axis])[0]})[known].drop_duplicates()
        several = place[distinct.index[distinct.duplicated("group")]]
        if len(several):
            found[str(axis)] = known & place.isin(several)
    return found


def _systems_of_parts(systems: Systems, values: pd.DataFrame) -> dict[tuple[Group, MethodPart], System]:
    text = values["method"] + ", " + values["axis"] + " = " + values["value"].astype(str)
    named = values[["method", "axis", "value"]].assign(part=text).drop_duplicates("part").set_index("part")
    labels = {part: MethodPart(*named) for part, *named in named.itertuples()}
    parts = values[["config"]].assign(part=text).drop_duplicates()
    found: dict[tuple[Group, MethodPart], dict[str, Pick]] = {}
    for (group, pattern), pick in select(systems.data, systems.options, parts).items():
        part = labels[group.method]
        found.setdefault((group._replace(method=part.method), part), {})[pattern] = pick
    return {key: System(key[0], picks, dict.fromkeys(picks, key[0])) for key, picks in found.items()}
