"""Draws: uniform, the same in any order; losses: nested, and never of everything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.draws import available, uniform_draws
from search_spaces.missing_rates import MissingRates

IDS = [f"sample-{number}" for number in range(4000)]
NAMES = ("audio", "image", "text")
rate_values = st.floats(0, 1)


def draws_of(num_seeds: int = 2) -> dict[str, np.ndarray]:
    return {name: uniform_draws(IDS[:300], name, range(num_seeds), "test") for name in NAMES}


def test_draws_are_uniform() -> None:
    draws = uniform_draws(IDS, "audio", range(10), "test")
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    expected = draws.size / 20
    assert ((counts - expected) ** 2 / expected).sum() < 43.8  # chi-squared, 19 degrees, 0.1 %
    assert draws.min() >= 0
    assert draws.max() < 1


def test_a_draw_depends_on_its_own_sample_only() -> None:
    order = np.random.default_rng(0).permutation(len(IDS))
    whole = uniform_draws(IDS, "audio", [3, 4], "test")
    np.testing.assert_array_equal(
        uniform_draws([IDS[place] for place in order], "audio", [3, 4], "test"), whole[:, order]
    )
    np.testing.assert_array_equal(uniform_draws(IDS[7:9], "audio", [4], "test"), whole[1:, 7:9])


@pytest.mark.parametrize("other", [("image", 0, "test"), ("audio", 1, "test"), ("audio", 0, "train")])
def test_modality_seed_and_stream_are_independent(other: tuple[str, int, str]) -> None:
    first = uniform_draws(IDS, "audio", [0], "test")[0]
    second = uniform_draws(IDS, other[0], [other[1]], other[2])[0]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06


@given(st.tuples(rate_values, rate_values, rate_values))
def test_nobody_loses_everything(rates: tuple[float, float, float]) -> None:
    kept = available(draws_of(), MissingRates(dict(zip(NAMES, rates, strict=True))))
    assert kept.shape == (2, 300, 3)
    assert kept.any(axis=-1).all()


@given(st.tuples(rate_values, rate_values, rate_values), st.integers(0, 2), rate_values)
def test_raising_one_rate_never_brings_back_its_modality(
    rates: tuple[float, float, float], place: int, higher: float
) -> None:
    more = [max(rate, higher) if index == place else rate for index, rate in enumerate(rates)]
    before, after = (available(draws_of(), MissingRates(dict(zip(NAMES, r, strict=True)))) for r in (rates, more))
    assert not (after[..., place] & ~before[..., place]).any()


@given(st.tuples(rate_values, rate_values, rate_values), rate_values)
def test_raising_all_in_proportion_only_removes(rates: tuple[float, float, float], share: float) -> None:
    less = [rate * share for rate in rates]
    before, after = (available(draws_of(), MissingRates(dict(zip(NAMES, r, strict=True)))) for r in (less, rates))
    assert not (after & ~before).any()


def test_end_points() -> None:
    assert available(draws_of(), MissingRates()).all()
    gone = available(draws_of(), MissingRates({"audio": 1.0}))
    assert not gone[..., 0].any()
    assert gone[..., 1:].all()
    assert (available(draws_of(), MissingRates.shared(1.0)).sum(axis=-1) == 1).all()


@given(rate_values, rate_values)
def test_raising_the_only_positive_rate_only_removes(first: float, second: float) -> None:
    low, high = sorted((first, second))
    before, after = (available(draws_of(), MissingRates({"image": rate})) for rate in (low, high))
    assert not (after & ~before).any()
