import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import MissingRates
from trainables.missing import training_mask

IDS = [f"sample{index}" for index in range(500)]
PRESENT = {"audio": np.ones(500, dtype=bool), "image": np.ones(500, dtype=bool), "text": np.ones(500, dtype=bool)}
RATE = st.floats(0, 1)


def mask(rates: MissingRates, seed: int = 0) -> np.ndarray:
    return training_mask(IDS, PRESENT, rates, seed)


@given(RATE, RATE, st.sampled_from(sorted(PRESENT)))
def test_raising_one_modalitys_rate_only_removes(one: float, other: float, name: str) -> None:
    low, high = sorted((one, other))
    assert not (mask(MissingRates({name: high})) & ~mask(MissingRates({name: low}))).any()


@given(RATE, RATE, RATE, st.floats(0, 1))
def test_raising_all_rates_in_proportion_only_removes(audio: float, image: float, text: float, share: float) -> None:
    rates = {"audio": audio, "image": image, "text": text}
    lower = MissingRates({name: share * rate for name, rate in rates.items()})
    assert not (mask(MissingRates(rates)) & ~mask(lower)).any()


@given(RATE, RATE, RATE, st.integers(0, 5))
def test_no_sample_ever_loses_everything(audio: float, image: float, text: float, seed: int) -> None:
    assert mask(MissingRates({"audio": audio, "image": image, "text": text}), seed).any(axis=1).all()


def test_rates_are_met_and_only_where_they_are_asked_for() -> None:
    kept = mask(MissingRates({"image": 0.3}))
    assert kept[:, 0].all()
    assert kept[:, 2].all()
    assert 0.62 < kept[:, 1].mean() < 0.78


def test_a_mask_depends_on_id_and_seed_not_on_order() -> None:
    rates = MissingRates.shared(0.5).resolve(sorted(PRESENT))
    order = np.random.default_rng(0).permutation(len(IDS))
    shuffled = training_mask([IDS[row] for row in order], PRESENT, rates, 0)
    np.testing.assert_array_equal(shuffled, mask(rates)[order])
    assert (mask(rates, 0) != mask(rates, 1)).any()


def test_what_the_data_lacks_stays_missing_and_its_samples_keep_something() -> None:
    present = {"audio": np.arange(500) % 2 == 0, "image": np.ones(500, dtype=bool)}
    kept = training_mask(IDS, present, MissingRates({"audio": 1.0, "image": 1.0}), 0)
    assert not kept[1::2, 0].any()
    assert kept.any(axis=1).all()


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_endpoints(rate: float) -> None:
    assert mask(MissingRates({"text": rate}))[:, 2].mean() == 1.0 - rate
