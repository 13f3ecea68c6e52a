"""Axes: the values that one or several fields of a trial take together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from search_spaces.errors import InvalidValueError

__all__ = ["Axis", "Choice", "choice", "log_space", "simplex", "zipped"]

Assignment = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """Values for the one field whose name the grid gives."""

    values: tuple[Any, ...]

    def bind(self, name: str) -> "Axis":
        """Say which field takes the values."""
        return Axis((name,), tuple({name: value} for value in self.values))


@dataclass(frozen=True)
class Axis:
    """Joint values of one or more fields.

    Attributes:
        names: the fields that the axis sets.
        points: one assignment per point, each over all `names`.
    """

    names: tuple[str, ...]
    points: tuple[Assignment, ...]


def choice(*values: Any) -> Choice:
    """Each of the given values in turn.

    >>> choice(16, 32).values
    (16, 32)

    Raises:
        InvalidValueError: no value was given.
    """
    if not values:
        raise InvalidValueError("choice", (), "at least one value")
    return Choice(values)


def log_space(low: float, high: float, num: int) -> Choice:
    """`num` values from `low` to `high`, equally spaced in the logarithm, both ends exact.

    >>> log_space(1e-4, 1e-2, 3).values
    (0.0001, 0.001, 0.01)
    """
    if not (0 < low <= high and num >= 1):
        raise InvalidValueError("log_space", (low, high, num), "0 < low <= high and num >= 1")
    if num == 1:
        return Choice((low,))
    ratio = math.log(high / low) / (num - 1)
    inner = (float(f"{low * math.exp(step * ratio):.12g}") for step in range(1, num - 1))
    return Choice((low, *inner, high))


def zipped(columns: Mapping[str, Sequence[Any]]) -> Axis:
    """Fields that vary together: the first values of all, the second values of all, ...

    >>> [dict(point) for point in zipped({"batch_size": [16, 32], "learning_rate": [1e-4, 2e-4]}).points]
    [{'batch_size': 16, 'learning_rate': 0.0001}, {'batch_size': 32, 'learning_rate': 0.0002}]

    Raises:
        InvalidValueError: the columns differ in length or are empty.
    """
    lengths = {name: len(values) for name, values in columns.items()}
    if not lengths or len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise InvalidValueError("zipped", lengths, "columns of one length, at least 1")
    names = tuple(columns)
    return Axis(names, tuple(dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)))


def simplex(names: Sequence[str], parts: int) -> Axis:
    """All weights k/parts >= 0 over `names` that sum to 1.

    >>> [tuple(point.values()) for point in simplex(["a", "b"], 2).points]
    [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)]
    """
    if len(names) < 1 or parts < 1:
        raise InvalidValueError("simplex", (list(names), parts), "at least one name and one part")
    bars = combinations(range(parts + len(names) - 1), len(names) - 1)
    points = []
    for places in bars:
        edges = (-1, *places, parts + len(names) - 1)
        counts = [right - left - 1 for left, right in pairwise(edges)]
        points.append({name: count / parts for name, count in zip(names, counts, strict=True)})
    return Axis(tuple(names), tuple(points))
