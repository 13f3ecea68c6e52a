"""Equal methods are told apart in 5 % of cases, and each test is the one its name says."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2
from simulated_seeds import METRICS, population
from statsmodels.stats.multitest import multipletests

from results.counts import contributions
from results.significance import compare, holm, mcnemar
from search_spaces.errors import InvalidValueError

REPETITIONS = 1000


def false_positives(seeds: int, samples: int, **spreads: float) -> dict[str, float]:
    """Share of repetitions in which two equally good methods differ at 5 %; with one seed, two equally good models."""
    world, random = population(**spreads), np.random.default_rng([seeds, samples, 1])
    found = dict.fromkeys(METRICS, 0)
    for repetition in range(REPETITIONS):
        targets, difficulty = world.samples(random, samples)
        first = world.draw(random, seeds)
        second = first if seeds == 1 else world.draw(random, seeds)
        methods = [world.method(random, targets, difficulty, models) for models in (first, second)]
        for metric in METRICS:
            found[metric] += compare(*methods, targets, metric, resamples=300, seed=repetition).p_value < 0.05
    return {metric: number / REPETITIONS for metric, number in found.items()}


@pytest.mark.parametrize("seeds", [1, 3, 5])
@pytest.mark.parametrize("samples", [300, pytest.param(600, marks=pytest.mark.slow)])
def test_equal_methods_differ_in_5_percent(seeds: int, samples: int) -> None:
    for metric, share in false_positives(seeds, samples).items():
        assert 0.03 <= share <= 0.07, metric


@pytest.mark.slow
@pytest.mark.parametrize(("skill_spread", "bias_spread"), [(0.0, 0.0), (0.05, 0.06), (0.25, 0.3)])
@pytest.mark.parametrize("seeds", [3, 5])
def test_no_spread_between_seeds_makes_equal_methods_differ_too_often(
    seeds: int, skill_spread: float, bias_spread: float
) -> None:
    for metric, share in false_positives(seeds, 400, skill_spread=skill_spread, bias_spread=bias_spread).items():
        assert share <= 0.07, metric


def _matches(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    sizes = [both, first, second, neither]
    return np.repeat([True, True, False, False], sizes), np.repeat([True, False, True, False], sizes)


@pytest.mark.parametrize(("first", "second"), [(2, 9), (0, 24), (12, 12), (1, 0)])
def test_few_disagreements_are_tested_exactly(first: int, second: int) -> None:
    outcome = mcnemar(*_matches(30, first, second, 10))
    assert outcome.p_value == pytest.approx(binomtest(first, first + second).pvalue, abs=1e-9)
    assert outcome.test == "McNemar's test (exact)"


def test_many_disagreements_are_tested_by_chi_square() -> None:
    outcome = mcnemar(*_matches(30, 10, 15, 0))
    assert outcome.p_value == pytest.approx(float(chi2.sf(25 / 25, 1)), abs=1e-9)
    assert outcome.test == "McNemar's test (chi-square)"


def test_no_disagreement_is_no_difference() -> None:
    assert mcnemar(*_matches(3, 0, 0, 2)).p_value == 1


def test_matches_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="zeros and ones"):
        mcnemar(np.array([0.5, 1.0]), np.array([1.0, 1.0]))
    with pytest.raises(InvalidValueError, match="zeros and ones"):
        mcnemar(np.array([np.nan, 1.0]), np.array([1.0, 1.0]))
    for first, second in ((np.ones(2), np.ones(3)), (np.ones(0), np.ones(0)), (np.ones((2, 1)), np.ones((2, 1)))):
        with pytest.raises(InvalidValueError, match="shapes of exact matches"):
            mcnemar(first, second)


def test_holm() -> None:
    """The smallest of m is multiplied by m, the next by m - 1, and never gets smaller than one before it."""
    given = [0.04, float("nan"), 0.01, 0.02, 0.9]
    np.testing.assert_allclose(holm(given), [0.08, np.nan, 0.04, 0.06, 0.9], atol=1e-12)
    drawn = np.random.default_rng(0).uniform(0, 0.2, 30).round(2).tolist()  # some are equal, some become more than 1
    assert holm(drawn).tolist() == multipletests(drawn, method="holm")[1].tolist()
    assert holm([]).tolist() == []
    assert np.isnan(holm([float("nan")])).all()
    with pytest.raises(InvalidValueError, match=r"p-value: 1\.5"):
        holm([0.1, 1.5])


def test_the_test_fits_the_metric_and_the_seeds() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, 60)
    first, second = (
        [contributions(skill * np.eye(3)[targets] + random.normal(size=(60, 3)), targets) for _ in range(4)]
        for skill in (3.0, 0.5)
    )
    for metric, seeds, test in (
        ("accuracy", 1, "McNemar's test (chi-square)"),
        ("accuracy", 4, "paired bootstrap over test samples and seeds"),
        ("macro_f1", 1, "paired bootstrap over test samples"),
    ):
        found = compare(first[:seeds], second[:seeds], targets, metric, resamples=200)
        assert found.test == test
        assert found.difference > 0
        assert found.p_value < 0.05
        assert found.interval.low < found.difference < found.interval.high <= 1
    expected = compare([first[0] * 0.5], [second[0] * 1.0], targets, "accuracy", resamples=200)
    assert expected.test == "paired bootstrap over test samples"


@pytest.mark.parametrize("metric", METRICS)
def test_a_method_does_not_differ_from_itself(metric: str) -> None:
    targets = np.arange(30) % 3
    parts = [contributions(np.random.default_rng(1).normal(size=(30, 3)), targets)]
    found = compare(parts, parts, targets, metric, resamples=50)
    assert (found.difference, found.p_value, found.interval.low, found.interval.high) == (0, 1, 0, 0)
