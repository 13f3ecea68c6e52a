"""The trial specification: everything that decides a trial's numbers, and the identity made of it."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

from search_spaces import value_checks as valid
from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.missing_rates import INDEPENDENT, MissingRates
from search_spaces.value_checks import Params, Value

__all__ = ["Params", "TrialSpec", "Value", "canonical_json", "content_hash"]

_HASH_CHARACTERS = 16


def canonical_json(value: Any) -> str:
    """Write plain data as the one JSON text that equal data always gives: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """Return 16 hex digits (64 bits) of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:_HASH_CHARACTERS]


def _axis(check: Callable[[str, Any], Any], default: Any = MISSING) -> Any:
    """Declare a field together with what checks and normalises its values; a class as default is called."""
    kind = "default_factory" if isinstance(default, type) else "default"
    return field(metadata={"check": check}, **{kind: default})


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One training to run: data, method, optimisation and seed. Frozen, hashable, exact in JSON.

    p_test is not part of it: logits under every availability pattern are stored, so every test-time missing rate
    is computed afterwards. Neither are resources and paths, which must not change a number.

    Attributes:
        dataset: key of the data set.
        method: key of the training method.
        fusion: key of the fusion, `late` or `early`.
        encoders: modality -> encoder name for late fusion, `joint` -> backbone name for early fusion; what is not named
            takes the data set's default, and what the fusion or method does not use is dropped.
        dataset_params: the data set's own parameters.
        method_params: the method's own hyperparameters.
        p_train: missing rates of the training split.
        missing: key of the missing protocol: which samples lose what.
        learning_rate: peak learning rate of AdamW.
        batch_size: samples per step.
        epochs: most passes over the usable training samples.
        weight_decay: AdamW's decoupled weight decay.
        schedule: learning rate after warm-up: `linear` to zero or `constant`.
        warmup: fraction of all steps in which the learning rate rises linearly.
        clip_norm: largest gradient norm; 0 clips nothing.
        patience: epochs without a better validation score before training stops; 0 never stops early.
        seed: of initial weights, sample order, masks and drop-out.
    """

    dataset: str = _axis(valid.text)
    method: str = _axis(valid.text)
    fusion: str = _axis(valid.text, "late")
    encoders: Params = _axis(valid.encoders, dict)
    dataset_params: Params = _axis(valid.params, dict)
    method_params: Params = _axis(valid.params, dict)
    p_train: MissingRates = _axis(valid.rates, MissingRates)
    missing: str = _axis(valid.text, INDEPENDENT)
    learning_rate: float = _axis(valid.number(0, inclusive=False), 1e-3)
    batch_size: int = _axis(valid.integer(1), 64)
    epochs: int = _axis(valid.integer(1), 20)
    weight_decay: float = _axis(valid.number(0, inclusive=True), 0.01)
    schedule: str = _axis(valid.schedule, "linear")
    warmup: float = _axis(valid.number(0, inclusive=True), 0.1)
    clip_norm: float = _axis(valid.number(0, inclusive=True), 1.0)
    patience: int = _axis(valid.integer(0), 3)
    seed: int = _axis(valid.integer(0), 0)

    def __post_init__(self) -> None:
        self._check(self.axis_names())

    def _check(self, names: Iterable[str]) -> None:
        for name in names:
            check = self.__dataclass_fields__[name].metadata["check"]
            object.__setattr__(self, name, check(name, getattr(self, name)))
        if self.warmup >= 1:
            raise InvalidValueError("warmup", self.warmup, "a fraction in [0, 1)")

    @classmethod
    def axis_names(cls) -> tuple[str, ...]:
        """Names of all fields, the axes that a grid can span."""
        return tuple(cls.__dataclass_fields__)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Rebuild a spec from `to_config`.

        Raises:
            UnknownNameError: a key is not an axis.
            InvalidValueError: a value is not allowed.
        """
        names = cls.axis_names()
        for name in config:
            if name not in names:
                raise UnknownNameError("axis", name, names)
        for name in ("dataset", "method"):
            if name not in config:
                raise InvalidValueError(name, None, "a name; every trial needs one")
        return cls(**config)

    def to_config(self) -> dict[str, Any]:
        """Return the spec as plain JSON data, which `from_config` turns back into an equal spec."""
        plain: dict[str, Any] = {}
        for name in self.axis_names():
            value = getattr(self, name)
            if isinstance(value, MissingRates):
                value = value.rates
            plain[name] = dict(value) if isinstance(value, MappingProxyType) else value
        return plain

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some axes changed; the others were checked before."""
        made = object.__new__(type(self))
        made.__dict__.update({name: getattr(self, name) for name in self.axis_names()} | changes)
        made._check(changes)
        return made

    @property
    def hash(self) -> str:
        """Content hash of the spec alone; a trial's id also covers versions and data."""
        return content_hash(self.to_config())

    @cached_property
    def _text(self) -> str:
        return canonical_json(self.to_config())

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrialSpec) and self._text == other._text

    def __reduce__(self) -> tuple[Callable[..., "TrialSpec"], tuple[dict[str, Any]]]:
        return TrialSpec.from_config, (self.to_config(),)
