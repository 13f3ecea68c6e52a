"""Parameters are read strictly, and what was read can be written out again."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from search_spaces.errors import InvalidValueError, UnknownNameError
from trainables.params import a_modality, number, one_of, per_modality, read_params, spell_out

MODALITIES = ("audio", "image")


@dataclass(frozen=True, kw_only=True)
class Example:
    rate: float = number(0.5, 0, 1)
    steps: int = number(3, 1, 9)
    mode: str = one_of("mean", "sum")
    weight: Any = per_modality(1.0, 0, 10)  # noqa: RUF009
    warm: bool = False
    name: str = "a"


@dataclass(frozen=True, kw_only=True)
class Needs:
    modality: str = a_modality()
    extra: Any = field(default_factory=dict)


def _read(**values: Any) -> Example:
    return read_params(Example, values, "example", MODALITIES)


def test_defaults() -> None:
    params = _read()
    assert (params.rate, params.steps, params.mode, params.warm, params.name) == (0.5, 3, "mean", False, "a")
    assert dict(params.weight) == {"audio": 1.0, "image": 1.0}


def test_numbers_take_the_type_of_their_default() -> None:
    params = _read(rate=1, steps=4.0)
    assert (params.rate, params.steps) == (1.0, 4)
    assert (type(params.rate), type(params.steps)) == (float, int)


def test_one_number_for_all_modalities_or_one_each() -> None:
    assert dict(_read(weight=2).weight) == {"audio": 2.0, "image": 2.0}
    assert dict(_read(weight=2, weight_image=3).weight) == {"audio": 2.0, "image": 3.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 1.5}, r"example\.rate: 1\.5 is not allowed; expected a number in \[0, 1\]"),
        ({"rate": True}, r"example\.rate: True"),
        ({"rate": float("nan")}, r"example\.rate: nan"),
        ({"rate": "high"}, r"example\.rate: 'high'"),
        ({"steps": 2.5}, r"expected an integer in \[1, 9\]"),
        ({"mode": "max"}, "expected one of mean, sum"),
        ({"weight_image": 11}, r"example\.weight_image: 11"),
        ({"warm": 1}, "expected true or false"),
        ({"name": 3}, "expected a value like 'a'"),
    ],
)
def test_a_value_that_is_not_allowed(values: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        _read(**values)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown parameter of example 'step'; did you mean 'steps'"):
        _read(step=1)
    with pytest.raises(UnknownNameError, match="weight_audio, weight_image"):
        _read(weight_text=1)


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(InvalidValueError, match=r"needs\.modality: None .* one of audio, image"):
        read_params(Needs, {}, "needs", MODALITIES)
    assert read_params(Needs, {"modality": "audio"}, "needs", MODALITIES).modality == "audio"
    with pytest.raises(InvalidValueError, match="one of audio, image"):
        read_params(Needs, {"modality": "text"}, "needs", MODALITIES)


@pytest.mark.parametrize("values", [{}, {"rate": 0.1, "weight_audio": 3, "mode": "sum", "warm": True}])
def test_spelled_out_parameters_read_back_equal(values: Any) -> None:
    params = _read(**values)
    plain = spell_out(params)
    assert read_params(Example, plain, "example", MODALITIES) == params
    assert spell_out(read_params(Example, plain, "example", MODALITIES)) == plain
