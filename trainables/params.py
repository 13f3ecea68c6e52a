"""Typed parameters of methods and data sets: frozen dataclasses filled from a spec's plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, field, fields
from types import MappingProxyType
from typing import Any, TypeVar

from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.spec import Params, Value

__all__ = ["a_modality", "expand_preset", "number", "one_of", "per_modality", "read_params", "spell_out", "switch"]

PRESET = "preset"
"""The parameter that every data set has: which named setting the others start from."""

T = TypeVar("T")


def number(default: float, minimum: float, maximum: float, *, search: Sequence[float] = ()) -> Any:
    """Declare a number in [minimum, maximum]; an int default makes it an integer. `search` is the usual range."""
    return field(default=default, metadata={"bounds": (minimum, maximum), "search": tuple(search)})


def one_of(default: str, *others: str) -> Any:
    """Declare a choice between names."""
    return field(default=default, metadata={"options": (default, *others)})


def switch(*, default: bool) -> Any:
    """Declare on or off, of which both are worth trying."""
    return field(default=default, metadata={"search": (True, False)})


def a_modality() -> Any:
    """Declare one of the data set's modalities, without a default."""
    return field(metadata={"modality": True})


def per_modality(default: float, minimum: float, maximum: float, *, search: Sequence[float] = ()) -> Any:
    """Declare one number per modality: `<name>_<modality>` sets one, `<name>` sets all that are not set."""
    metadata = {"bounds": (minimum, maximum), "search": tuple(search), "per_modality": default}
    return field(default_factory=dict, metadata=metadata)


def read_params(cls: type[T], values: Params, owner: str, modalities: Sequence[str]) -> T:
    """Build `cls` from plain values.

    Raises:
        UnknownNameError: a value has no such parameter.
        InvalidValueError: a value is not allowed, or a parameter without default is not given.
    """
    left = dict(values)
    built: dict[str, Any] = {}
    for declared in fields(cls):  # type: ignore[arg-type]  # T is a dataclass by contract
        what = f"{owner}.{declared.name}"
        if "per_modality" in declared.metadata:
            built[declared.name] = _read_per_modality(declared, left, owner, modalities)
        elif declared.name in left:
            built[declared.name] = _checked(declared, left.pop(declared.name), what, modalities)
        elif declared.default is MISSING and declared.default_factory is MISSING:
            allowed = f"one of {', '.join(modalities)}" if "modality" in declared.metadata else "a value"
            raise InvalidValueError(what, None, allowed)
    if left:
        raise UnknownNameError(f"parameter of {owner}", min(left), _names(cls, modalities))
    return cls(**built)


def expand_preset(values: Params, presets: Mapping[str, Params], owner: str) -> dict[str, Value]:
    """Return the parameters of the preset that `values` names, under those that it gives itself.

    `default` changes nothing; `tiny`, the smallest setting that still runs, changes nothing where there is none.

    Raises:
        UnknownNameError: there is no such preset.
    """
    given = dict(values)
    known: dict[str, Params] = {"default": {}, "tiny": {}, **presets}
    name = given.pop(PRESET, "default")
    if name not in known:
        raise UnknownNameError(f"preset of {owner}", str(name), known)
    return {**known[str(name)], **given}


def spell_out(params: Any) -> dict[str, Value]:
    """Return the plain values that `read_params` turns back into `params`, defaults included."""
    plain: dict[str, Value] = {}
    for declared in fields(params):
        value = getattr(params, declared.name)
        if isinstance(value, Mapping):
            plain.update({f"{declared.name}_{modality}": item for modality, item in value.items()})
        else:
            plain[declared.name] = value
    return plain


def _read_per_modality(
    declared: Any, left: dict[str, Any], owner: str, modalities: Sequence[str]
) -> Mapping[str, float]:
    default = left.pop(declared.name, declared.metadata["per_modality"])
    chosen = {modality: left.pop(f"{declared.name}_{modality}", default) for modality in modalities}
    checked = {m: _checked(declared, item, f"{owner}.{declared.name}_{m}", modalities) for m, item in chosen.items()}
    return MappingProxyType(checked)


def _checked(declared: Any, value: Any, what: str, modalities: Sequence[str]) -> Any:
    options = declared.metadata.get("options", tuple(modalities) if "modality" in declared.metadata else None)
    if options is not None:
        if value not in options:
            raise InvalidValueError(what, value, f"one of {', '.join(options)}")
        return value
    if "bounds" in declared.metadata:
        default = declared.metadata.get("per_modality", declared.default)
        return _checked_number(value, what, declared.metadata["bounds"], whole=isinstance(default, int))
    if isinstance(declared.default, bool) and not isinstance(value, bool):
        raise InvalidValueError(what, value, "true or false")
    if declared.default is not MISSING and not isinstance(value, type(declared.default)):
        raise InvalidValueError(what, value, f"a value like {declared.default!r}")
    return value


def _checked_number(value: Any, what: str, bounds: tuple[float, float], *, whole: bool) -> float:
    low, high = bounds
    kind = "an integer" if whole else "a number"
    valid = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    if not valid or (whole and value != int(value)):
        raise InvalidValueError(what, value, f"{kind} in [{low:g}, {high:g}]")
    return int(value) if whole else float(value)


def _names(cls: type[Any], modalities: Sequence[str]) -> list[str]:
    names = []
    for declared in fields(cls):
        names.append(declared.name)
        if "per_modality" in declared.metadata:
            names.extend(f"{declared.name}_{modality}" for modality in modalities)
    return names
