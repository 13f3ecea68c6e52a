import pickle

import pytest

from search_spaces import InvalidValueError, MissingRates, UnknownNameError
from search_spaces.missing_rates import diagonal, full_grid, one_modality, seventy_percent_missing, shared_rates


def test_equal_meaning_is_equal() -> None:
    assert MissingRates({"image": 0.1 + 0.2, "audio": 0}) == MissingRates({"image": 0.3})
    assert hash(MissingRates({"a": 0.1, "b": 0.2})) == hash(MissingRates({"b": 0.2, "a": 0.1}))
    assert MissingRates.shared(0) == MissingRates()
    assert not MissingRates({"audio": 0.0})


def test_a_shared_rate_is_spelled_out_for_the_data_sets_modalities() -> None:
    assert MissingRates.shared(0.4).resolve(["audio", "image"]) == MissingRates({"audio": 0.4, "image": 0.4})
    assert MissingRates({"*": 0.4, "audio": 0.0}).resolve(["audio", "image"]) == MissingRates({"image": 0.4})


def test_a_modality_the_data_set_lacks_is_refused_with_the_nearest_match() -> None:
    with pytest.raises(UnknownNameError, match="unknown modality 'imag'; did you mean 'image'"):
        MissingRates({"imag": 0.5}).resolve(["audio", "image"])


@pytest.mark.parametrize("rate", [-0.1, 1.1, "0.5", None, True, float("nan")])
def test_rates_outside_the_unit_interval_are_refused(rate: object) -> None:
    with pytest.raises(InvalidValueError, match=r"expected a number in \[0, 1\]"):
        MissingRates({"audio": rate})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3", MissingRates.shared(0.3)),
        ("audio:0.3", MissingRates({"audio": 0.3})),
        ("audio:0.3+image:1", MissingRates({"audio": 0.3, "image": 1.0})),
        ("0", MissingRates()),
    ],
)
def test_text_and_rates_go_back_and_forth(text: str, expected: MissingRates) -> None:
    assert MissingRates.parse(text) == expected
    assert MissingRates.parse(str(expected)) == expected


@pytest.mark.parametrize("text", ["abc", "audio:", "audio:x", "", "audio=0.3"])
def test_text_that_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        MissingRates.parse(text)


def test_families() -> None:
    assert [rates["audio"] for rates in one_modality("audio", (0.0, 0.5))] == [0.0, 0.5]
    shared = shared_rates((0.0, 1.0))
    assert list(diagonal(shared)) == [(shared[0], shared[0]), (shared[1], shared[1])]
    assert len(list(full_grid(shared, shared))) == 4
    protocol = seventy_percent_missing("text", "image")
    assert [1 - rates["text"] for rates in protocol] == pytest.approx([0.3, 0.65, 1.0])
    assert [1 - rates["image"] for rates in protocol] == pytest.approx([1.0, 0.65, 0.3])


def test_rates_survive_pickling() -> None:
    rates = MissingRates({"audio": 0.25})
    assert pickle.loads(pickle.dumps(rates)) == rates
