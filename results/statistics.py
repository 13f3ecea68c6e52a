"""Summaries over seeds."""

from collections.abc import Iterable, Sequence
from math import fsum, sqrt

__all__ = ["mean", "mean_and_spread"]

_FEWEST = 2


def mean(values: Iterable[float]) -> float:
    """Return the mean, summed exactly: the order of the values cannot decide a tie."""
    found = list(map(float, values))
    return fsum(found) / len(found)


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the sample standard deviation (n - 1); None for a single value.

    >>> mean_and_spread([0.25, 0.75])
    (0.5, 0.3535533905932738)
    """
    centre = mean(values)
    if len(values) < _FEWEST:
        return centre, None
    return centre, sqrt(fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
