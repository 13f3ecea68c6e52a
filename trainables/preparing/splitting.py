"""Splits where a data set has no official one: drawn per sample id, so that no order of files matters."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from results.draws import uniform_draws

__all__ = ["stratified_split"]


def stratified_split(
    strata: Mapping[str, str], shares: Mapping[str, float], seed: int = 0, key: str = "split"
) -> dict[str, str]:
    """Divide ids so that each part has its share of every stratum.

    Within a stratum, ids are sorted by a random draw of their own and cut at the cumulated shares, rounded; an id's
    place depends on the ids of its stratum, the seed and the key, not on any order.

    Args:
        strata: id -> stratum, for instance its label.
        shares: part -> share; they add up to 1.
        seed: of the draws.
        key: two splits of the same ids by different keys are independent.

    Returns:
        id -> part.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted(strata):
        members[strata[name]].append(name)
    parts: dict[str, str] = {}
    for ids in members.values():
        parts.update(_cut(ids, shares, seed, key))
    return parts


def _cut(ids: Sequence[str], shares: Mapping[str, float], seed: int, key: str) -> dict[str, str]:
    order = np.argsort(uniform_draws(ids, key, [seed], "split")[0], kind="stable")
    names = list(shares)
    ends = np.rint(np.cumsum([shares[name] for name in names]) * len(ids)).astype(int)
    places = np.searchsorted(ends, np.arange(len(ids)), side="right")
    return {ids[int(row)]: names[min(int(place), len(names) - 1)] for row, place in zip(order, places, strict=True)}
