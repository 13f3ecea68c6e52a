"""Which method is best across data sets: average ranks, Friedman's test and Nemenyi's critical difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isnan, sqrt

import numpy as np

from results.counts import Doubles
from search_spaces.errors import InvalidValueError

__all__ = ["SIGNIFICANCE", "Ranking", "average_ranks", "critical_difference", "rank_methods"]

SIGNIFICANCE = 0.05
"""Significance level, unless another is asked for."""

_FEWEST_DATASETS = 2
_FEWEST_METHODS = 3

Scores = Mapping[str, Sequence[float | None]]


@dataclass(frozen=True)
class Ranking:
    """Methods ranked over data sets; all of it rests on the data sets on which every method has a score.

    Attributes:
        average_ranks: method -> mean rank over data sets, 1 being best; best first. Empty without data sets.
        datasets: how many data sets have a score of every method.
        left_out: how many data sets lack the score of some method.
        reason: why there are no tests, in words; None if there are.
        friedman_p: p-value of all methods being equal.
        critical_difference: mean ranks that are this far apart differ significantly.
        nemenyi_p: (better, worse) -> p-value of the two being equal, corrected for the number of pairs.
        alike: the largest groups of methods, neighbours in rank, of which no two differ: a diagram's bars.
    """

    average_ranks: Mapping[str, float]
    datasets: int
    left_out: int
    reason: str | None = None
    friedman_p: float | None = None
    critical_difference: float | None = None
    nemenyi_p: Mapping[tuple[str, str], float] = field(default_factory=dict)
    alike: tuple[tuple[str, ...], ...] = ()


def average_ranks(scores: Scores) -> dict[str, float]:
    """Return each method's mean rank, 1 being best and ties averaged; best first, empty without data sets.

    >>> average_ranks({"naive": [0.1, 0.5], "mtl": [0.3, 0.5]})
    {'mtl': 1.25, 'naive': 1.75}

    Args:
        scores: method -> one score for each data set, in the same order; larger is better, None or NaN is missing.
            A data set counts only if every method has a score.

    Raises:
        InvalidValueError: the methods have different numbers of data sets.
    """
    return _mean_ranks(list(scores), _complete(scores))


def _complete(scores: Scores) -> Doubles:
    """Return the scores on the data sets on which every method has one, (data sets, methods)."""
    lengths = {name: len(values) for name, values in scores.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidValueError(
            "numbers of data sets", lengths, "the same for each method (None where it has no score)"
        )
    table = np.array(list(scores.values()), dtype=np.float64).T.reshape(max(lengths.values(), default=0), len(scores))
    return table[~np.isnan(table).any(axis=1)]


def _mean_ranks(names: Sequence[str], table: Doubles) -> dict[str, float]:
    from scipy.stats import rankdata  # noqa: PLC0415 (a second of import that tables without ranks are spared)

    if not table.size:
        return {}
    ranks = rankdata(-table, axis=1).mean(axis=0).tolist()
    return dict(sorted(zip(names, ranks, strict=True), key=lambda pair: pair[1]))


def critical_difference(methods: int, datasets: int, significance: float = SIGNIFICANCE) -> float:
    """Return how far apart two mean ranks must be to differ significantly (Nemenyi's test).

    CD = q / sqrt(2) * sqrt(k (k + 1) / (6 N)) with q the quantile of the studentized range of k means at infinite
    degrees of freedom (Demsar 2006, Journal of Machine Learning Research 7, section 3.2.2).
    """
    from scipy.stats import studentized_range  # noqa: PLC0415 (as above)

    quantile = float(studentized_range.ppf(1 - significance, methods, np.inf))
    return quantile / sqrt(2) * sqrt(methods * (methods + 1) / (6 * datasets))


def rank_methods(scores: Scores, significance: float = SIGNIFICANCE) -> Ranking:
    """Rank methods over data sets and test which of them differ.

    Args:
        scores: as in `average_ranks`.
        significance: level of the tests, in (0, 1).

    Raises:
        InvalidValueError: the significance is out of range, or as in `average_ranks`.
    """
    if not 0 < significance < 1:
        raise InvalidValueError("significance", significance, "a number between 0 and 1")
    table = _complete(scores)
    names, datasets = list(scores), len(table)
    left_out = max(map(len, scores.values()), default=0) - datasets
    ranks = _mean_ranks(names, table)
    reason = None
    if datasets < _FEWEST_DATASETS:
        reason = (
            f"a test needs at least {_FEWEST_DATASETS} data sets with a score of every method; there are {datasets}"
        )
    if len(names) < _FEWEST_METHODS:
        reason = f"Friedman's test needs at least {_FEWEST_METHODS} methods; there are {len(names)}"
    if reason:
        return Ranking(ranks, datasets, left_out, reason)
    distance = critical_difference(len(names), datasets, significance)
    return Ranking(
        ranks,
        datasets,
        left_out,
        friedman_p=_friedman(table),
        critical_difference=distance,
        nemenyi_p=_nemenyi(ranks, datasets),
        alike=_groups(ranks, distance),
    )


def _friedman(table: Doubles) -> float:
    from scipy.stats import friedmanchisquare  # noqa: PLC0415 (as above)

    if (table == table[:, :1]).all():
        return 1.0  # nothing but ties: scipy divides 0 by 0
    p_value = float(friedmanchisquare(*table.T).pvalue)
    assert not isnan(p_value)
    return p_value


def _nemenyi(ranks: Mapping[str, float], datasets: int) -> dict[tuple[str, str], float]:
    """Return each pair's p-value: the studentised range at sqrt(2) times the ranks' distance in standard errors."""
    from scipy.stats import studentized_range  # noqa: PLC0415 (as above)

    error = sqrt(len(ranks) * (len(ranks) + 1) / (6 * datasets))
    pairs = list(combinations(ranks, 2))
    distances = np.array([abs(ranks[one] - ranks[other]) for one, other in pairs]) / error
    p_values = studentized_range.sf(sqrt(2) * distances, len(ranks), np.inf)
    return dict(zip(pairs, p_values.tolist(), strict=True))


def _groups(ranks: Mapping[str, float], distance: float) -> tuple[tuple[str, ...], ...]:
    """Return the longest stretches of ranked methods whose ends are closer than the critical difference."""
    names, values = list(ranks), list(ranks.values())
    groups: list[tuple[str, ...]] = []
    reached = 0
    for start, value in enumerate(values):
        end = max(place for place, other in enumerate(values) if other - value < distance) + 1
        if end > reached and end - start > 1:
            groups.append(tuple(names[start:end]))
        reached = max(reached, end)
    return tuple(groups)
