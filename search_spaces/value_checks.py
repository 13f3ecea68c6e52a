"""What an axis of a trial can take: values are checked and brought into one form before anything is made of them."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from search_spaces.errors import InvalidValueError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Modality

__all__ = ["Params", "Value", "encoders", "integer", "number", "params", "rates", "schedule", "text"]

Value = str | int | float | bool
"""What an axis can take: anything JSON writes exactly."""
Params = Mapping[str, Value]


def number(minimum: float, *, inclusive: bool) -> Callable[[str, Any], float]:
    """Return a check of finite numbers."""
    bound = f"a finite number {'>=' if inclusive else '>'} {minimum:g}"

    def check(what: str, value: Any) -> float:
        valid = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not valid or value < minimum or (value == minimum and not inclusive):
            raise InvalidValueError(what, value, bound)
        return float(value)

    return check


def integer(minimum: int) -> Callable[[str, Any], int]:
    """Return a check of integers."""

    def check(what: str, value: Any) -> int:
        valid = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not valid or value != int(value) or value < minimum:
            raise InvalidValueError(what, value, f"an integer >= {minimum}")
        return int(value)

    return check


def text(what: str, value: Any) -> str:
    """Check a name."""
    if not isinstance(value, str) or not value:
        raise InvalidValueError(what, value, "a name")
    return value


def schedule(what: str, value: Any) -> str:
    """Check a learning rate schedule."""
    if value not in ("linear", "constant"):
        raise InvalidValueError(what, value, "'linear' (to zero) or 'constant'")
    return str(value)


def rates(what: str, value: Any) -> MissingRates:
    """Read missing rates, however they are given."""
    if isinstance(value, MissingRates):
        return value
    if isinstance(value, str):
        return MissingRates.parse(value)
    if isinstance(value, int | float):
        return MissingRates.shared(value)
    if isinstance(value, Mapping):
        return MissingRates(value)
    raise InvalidValueError(what, value, "missing rates")


def params(what: str, value: Any) -> Params:
    """Check parameters; sorted by name."""
    if not isinstance(value, Mapping):
        raise InvalidValueError(what, value, "a mapping of names to plain values")
    for name, item in value.items():
        finite = not isinstance(item, float) or math.isfinite(item)
        if not isinstance(name, str) or not isinstance(item, Value) or not finite:
            raise InvalidValueError(f"{what}.{name}", item, "a string, finite number or boolean")
    return MappingProxyType({name: value[name] for name in sorted(value)})


def encoders(what: str, value: Any) -> Params:
    """Check modality -> encoder."""
    return MappingProxyType({Modality(key): text(f"{what}.{key}", item) for key, item in params(what, value).items()})
