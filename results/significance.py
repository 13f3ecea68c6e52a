"""Is one method better than another? Tests of two methods on the same test samples, and correction for many tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from results.counts import Doubles, Numbers
from results.intervals import LEVEL, Interval
from results.resampling import resample
from search_spaces.errors import InvalidValueError

__all__ = ["Comparison", "Outcome", "compare", "holm", "mcnemar"]

_FEWEST_FOR_CHI_SQUARE = 25


class Outcome(NamedTuple):
    """What a test says.

    Attributes:
        p_value: two-sided.
        test: its name, for captions.
    """

    p_value: float
    test: str


@dataclass(frozen=True)
class Comparison:
    """Two methods compared on the same test samples.

    Attributes:
        difference: the first's score less the second's, mean over seeds.
        interval: of the difference.
        p_value: two-sided, of the difference being 0; not corrected for other comparisons (see `holm`).
        test: what gave the p-value, for captions.
    """

    difference: float
    interval: Interval
    p_value: float
    test: str


def mcnemar(first_exact: Numbers, second_exact: Numbers) -> Outcome:
    """Test whether two models are equally often right, on the same samples.

    With fewer than 25 samples on which just one of them is right, the exact binomial test; else the chi-square
    approximation without continuity correction, which keeps its level where exact and corrected tests fall short of it
    (Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91). No such sample gives p = 1.

    Args:
        first_exact: (N,) whether the first model is right; Boolean or zeros and ones.
        second_exact: the same of the second.

    Raises:
        InvalidValueError: the shapes differ, there is no sample, or a value is neither 0 nor 1.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test_table  # noqa: PLC0415 (a second of import)

    if first_exact.shape != second_exact.shape or first_exact.ndim != 1 or not first_exact.size:
        raise InvalidValueError("shapes of exact matches", (first_exact.shape, second_exact.shape), "(N,) twice, N > 0")
    if not (_zeros_and_ones(first_exact) and _zeros_and_ones(second_exact)):
        raise InvalidValueError("exact matches", "a value between, beyond or not a number", "zeros and ones")
    first, second = first_exact.astype(bool), second_exact.astype(bool)
    table = [[(mine & theirs).sum() for theirs in (second, ~second)] for mine in (first, ~first)]
    exact = bool(table[0][1] + table[1][0] < _FEWEST_FOR_CHI_SQUARE)
    p_value = float(test_table(table, exact=exact, correction=False).pvalue)
    return Outcome(min(1.0, p_value), f"McNemar's test ({'exact' if exact else 'chi-square'})")


def _zeros_and_ones(values: Numbers) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def holm(p_values: Sequence[float]) -> Doubles:
    """Return p-values corrected for their number by Holm's step-down method (1979); NaN (no test) stays and counts not.

    >>> holm([0.01, float("nan"), 0.04]).tolist()
    [0.02, nan, 0.04]

    Raises:
        InvalidValueError: one is not in [0, 1].
    """
    corrected = np.array(p_values, dtype=np.float64)
    tested = ~np.isnan(corrected)
    wrong = [value for value in corrected[tested].tolist() if not 0 <= value <= 1]
    if wrong:
        raise InvalidValueError("p-value", wrong[0], "a number in [0, 1] or NaN")
    order = np.flatnonzero(tested)[np.argsort(corrected[tested])]
    raised = np.maximum.accumulate(corrected[order] * np.arange(len(order), 0, -1))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected


def compare(
    first_parts: Sequence[Numbers],
    second_parts: Sequence[Numbers],
    targets: npt.NDArray[np.integer],
    metric: str = "macro_f1",
    *,
    level: float = LEVEL,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two methods: McNemar's test for the accuracy of one seed each, else the paired bootstrap.

    The interval is the bootstrap's in either case (`Resampled.estimate`), so next to the significance level it and
    McNemar's test can disagree. Accuracies that are expectations (not zeros and ones per sample) are bootstrapped.

    Args:
        first_parts: (N, 2 C + 1) contributions for each seed of the first method.
        second_parts: the same of the second method, its seeds in the same order.
        targets: (N,) class numbers or (N, C) zeros and ones.
        metric: its name.
        level: of the interval.
        resamples: of the test samples.
        seed: of the resampling.

    Raises:
        InvalidValueError: the methods have different numbers of seeds, or as in `resample`.
    """
    first, second = (
        resample(parts, targets, metric, resamples=resamples, seed=seed) for parts in (first_parts, second_parts)
    )
    estimate = (first - second).estimate()
    outcome = Outcome(estimate.p_value, f"paired bootstrap over {estimate.over}")
    right = [parts[0][:, -1] for parts in (first_parts, second_parts)]
    if metric == "accuracy" and len(first_parts) == 1 and all(map(_zeros_and_ones, right)):
        outcome = mcnemar(*right)
    return Comparison(estimate.value, estimate.interval(level), outcome.p_value, outcome.test)
