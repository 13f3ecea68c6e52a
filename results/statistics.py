"""Summaries over seeds."""

from collections.abc import Sequence
from math import sqrt

__all__ = ["mean_and_spread"]

_FEWEST = 2


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the sample standard deviation (n - 1); None for a single value.

    >>> mean_and_spread([0.25, 0.75])
    (0.5, 0.3535533905932738)
    """
    mean = sum(values) / len(values)
    if len(values) < _FEWEST:
        return mean, None
    return mean, sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
