"""Missing rates: how often each modality is absent, and the families of rates the papers sweep over."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from numbers import Real
from types import MappingProxyType
from typing import Any, Self

from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.modality import Modality

__all__ = [
    "INDEPENDENT",
    "TENTHS",
    "MissingRates",
    "diagonal",
    "full_grid",
    "one_modality",
    "seventy_percent_missing",
    "shared_rates",
]

TENTHS = tuple(step / 10 for step in range(11))
"""0, 0.1, ..., 1: the rates of MMPT's figures."""

INDEPENDENT = "independent"
"""The missing protocol of trials that name none: every modality goes missing by itself."""

_EVERY = "*"
_DIGITS = 9  # 0.1 + 0.2 and 0.3 are one rate


def _checked_rate(what: str, rate: Any) -> float:
    """Return `rate` as a float in [0, 1].

    Raises:
        InvalidValueError: it is not a number, or outside [0, 1].
    """
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0.0 <= float(rate) <= 1.0:
        raise InvalidValueError(f"missing rate of {what}", rate, "a number in [0, 1]")
    return round(float(rate), _DIGITS)


@dataclass(frozen=True)
class MissingRates:
    """The probability, per modality, that a sample lacks it. Modalities not named are always there.

    Two rates that mean the same are equal and hash alike: zeros are dropped and the order does not count.

    Attributes:
        rates: modality -> rate in (0, 1]; the key "*" stands for every modality of the data set until
            `resolve` is told which those are.

    >>> MissingRates({"image": 0.3, "audio": 0})
    MissingRates(image=0.3)
    >>> MissingRates.shared(0.5).resolve(["audio", "image"])
    MissingRates(audio=0.5, image=0.5)
    """

    rates: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked = {
            (name if name == _EVERY else Modality(name)): _checked_rate(name, rate) for name, rate in self.rates.items()
        }
        kept = {name: checked[name] for name in sorted(checked) if checked[name] > 0 or _EVERY in checked}
        if set(kept) == {_EVERY} and not kept[_EVERY]:
            kept = {}
        object.__setattr__(self, "rates", MappingProxyType(kept))

    @classmethod
    def shared(cls, rate: float) -> Self:
        """Every modality goes missing at the same rate, independently."""
        return cls({_EVERY: rate})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `0.3` (every modality) or `audio:0.3` or `audio:0.3+image:0.1`.

        Raises:
            InvalidValueError: the text is neither form or a rate is outside [0, 1].
        """
        rates: dict[str, float] = {}
        for part in text.split("+"):
            name, _, number = part.rpartition(":")
            key = name.strip() or _EVERY
            try:
                rate = float(number)
            except ValueError:
                raise InvalidValueError("missing rate", text, "0.3, audio:0.3 or audio:0.3+image:0.1") from None
            if key in rates:
                raise InvalidValueError("missing rate", text, "each modality once")
            rates[key] = rate
        return cls(rates)

    def resolve(self, modalities: Sequence[str]) -> "MissingRates":
        """Spell out "*" for a data set's modalities.

        Raises:
            UnknownNameError: a rate is given for a modality that the data set lacks.
        """
        for name in self.rates:
            if name != _EVERY and name not in modalities:
                raise UnknownNameError("modality", name, modalities)
        return MissingRates({name: self[name] for name in modalities}) if self.rates else self

    def only(self, modalities: Iterable[str]) -> "MissingRates":
        """The same rates for these modalities, zero for all others."""
        return MissingRates({name: self[name] for name in modalities}) if self.rates else self

    def __getitem__(self, modality: str) -> float:
        return self.rates.get(modality, self.rates.get(_EVERY, 0.0))

    def __bool__(self) -> bool:
        return any(rate > 0 for rate in self.rates.values())

    def __hash__(self) -> int:
        return hash(tuple(self.rates.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MissingRates) and dict(self.rates) == dict(other.rates)

    def __reduce__(self) -> tuple[type["MissingRates"], tuple[dict[str, float]]]:
        return MissingRates, (dict(self.rates),)

    def __repr__(self) -> str:
        named = ", ".join(f"{'every' if name == _EVERY else name}={rate:g}" for name, rate in self.rates.items())
        return f"MissingRates({named})"

    def __str__(self) -> str:
        if not self:
            return "0"
        return "+".join(f"{rate:g}" if name == _EVERY else f"{name}:{rate:g}" for name, rate in self.rates.items())


def shared_rates(rates: Iterable[float]) -> tuple[MissingRates, ...]:
    """All modalities at one rate, for each of `rates`."""
    return tuple(MissingRates.shared(rate) for rate in rates)


def one_modality(modality: str, rates: Iterable[float] = TENTHS) -> tuple[MissingRates, ...]:
    """One modality goes missing, the others never do (MMPT section 2.2)."""
    return tuple(MissingRates({modality: rate}) for rate in rates)


def diagonal(family: Sequence[MissingRates]) -> Iterator[tuple[MissingRates, MissingRates]]:
    """(p_train, p_test) pairs with equal rates in training and testing."""
    return ((rates, rates) for rates in family)


def full_grid(
    train: Sequence[MissingRates], test: Sequence[MissingRates]
) -> Iterator[tuple[MissingRates, MissingRates]]:
    """Every (p_train, p_test) pair: MMPT's surfaces."""
    return iter(product(train, test))


def seventy_percent_missing(first: str, second: str) -> tuple[MissingRates, ...]:
    """The 70 %-missing rates of MAP and U2A: 30/100, 65/65 and 100/30 percent of (first, second) available.

    With `missing="map_u2a"` the masks are the papers' too: 65/65 leaves 30 % of the samples complete. The default
    protocol draws per modality, so that 65/65 leaves 42 % complete.
    """
    return (
        MissingRates({first: 0.7}),
        MissingRates({first: 0.35, second: 0.35}),
        MissingRates({second: 0.7}),
    )
