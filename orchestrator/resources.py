"""What one trial takes of a node, as a user says it, checked and with every share one that fits a device evenly."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from search_spaces.errors import InvalidValueError, UnknownNameError

__all__ = ["AUTO", "SHARES", "amounts", "checked_resources", "fits_labels"]

AUTO = "auto"
"""In place of a GPU share: measure what each kind of trial needs."""

SHARES: Mapping[str, float] = MappingProxyType({"1/4": 1 / 4, "1/3": 1 / 3, "1/2": 1 / 2, "1": 1.0})
"""Shares of a GPU by name; any other leaves a part of the card that no trial can use. A worker computes on one GPU."""

_ROUNDING = 1e-2  # 0.33 is a third
_GIB = 1024**3
_RAYS_OWN = ("CPU", "GPU", "memory")


def checked_resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a trial takes, shares as exact numbers.

    Args:
        resources: `workers_per_trial`, 1 by default, and of each worker: `cpus`; `gpus`, a share such as 0.5 or "1/2",
            or "auto"; `memory` in GiB; `labels` that its node must have, {"accelerator": "h200"}; `custom` amounts of
            what nodes declare, {"licence": 1}. Several whole `gpus` are as many workers with one each.

    Raises:
        UnknownNameError, InvalidValueError: no such resource, or a share that would strand capacity; the message names
            the nearest that does not.
    """
    for name in resources:
        if name not in _READ:
            raise UnknownNameError("resource", name, _READ)
    read = {name: _READ[name](value) for name, value in resources.items()}
    gpus = read.get("gpus", 0)
    if gpus != AUTO and gpus > 1:
        if read.get("workers_per_trial", gpus) != gpus:
            raise InvalidValueError(
                "gpus", resources["gpus"], "1 where workers_per_trial says how many: each has its own"
            )
        return {**read, "gpus": 1, "workers_per_trial": gpus}
    if read.get("workers_per_trial", 1) > 1 and gpus not in (0, 1):
        raise InvalidValueError("gpus", resources["gpus"], "0 or 1 where a trial has several workers: one GPU for each")
    return read


def amounts(resources: Mapping[str, Any]) -> dict[str, float]:
    """Return what a trial takes under Ray's own names, without what it takes nothing of; memory in bytes."""
    gpus = resources.get("gpus", 0)
    own = {
        "CPU": resources.get("cpus", 1),
        "GPU": 1.0 if gpus == AUTO else gpus,
        "memory": resources.get("memory", 0) * _GIB,
        **resources.get("custom", {}),
    }
    return {name: float(amount) for name, amount in own.items() if amount}


def fits_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Tell whether a node has the labels that a trial wants, in Ray's words: `x`, `!x`, `in(x, y)`, `!in(x, y)`.

    >>> fits_labels({"gpu": "h200"}, {"gpu": "in(h100, h200)"}), fits_labels({"gpu": "h200"}, {"gpu": "!h200"})
    (True, False)
    """
    return all(_fits(labels.get(key), text) for key, text in wanted.items())


def _fits(found: str | None, wanted: str) -> bool:
    plain = wanted.removeprefix("!")
    values = plain[3:-1].split(",") if plain.startswith("in(") else [plain]
    return (found in {value.strip() for value in values}) != wanted.startswith("!")


def _cpus(value: Any) -> float:
    share = _number("cpus", value, "whole CPUs or part of one")
    if share <= 0 or (share > 1 and share != int(share)):
        raise InvalidValueError("cpus", value, "whole CPUs or part of one")
    return share


def _gpus(value: Any) -> float | str:
    allowed = (
        f"0, {', '.join(SHARES)} or more whole ones, since others leave a part of a card that no trial can use; or auto"
    )
    if value == AUTO:
        return AUTO
    share = _number("gpus", value, allowed)
    if share == int(share) and share >= 0:
        return int(share)
    name = min(SHARES, key=lambda one: abs(SHARES[one] - share))
    if abs(SHARES[name] - share) > _ROUNDING:
        raise InvalidValueError("gpus", value, f"{allowed}; the nearest is {name}")
    return SHARES[name]


def _workers(value: Any) -> int:
    number = _number("workers_per_trial", value, "a whole number of workers")
    if number < 1 or number != int(number):
        raise InvalidValueError("workers_per_trial", value, "a whole number of workers")
    return int(number)


def _memory(value: Any) -> float:
    gibibytes = _number("memory", value, "GiB of main memory")
    if gibibytes < 0:
        raise InvalidValueError("memory", value, "GiB of main memory")
    return gibibytes


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(one, str) and one for pair in value.items() for one in pair
    ):
        raise InvalidValueError("labels", value, "label=value pairs, such as gpu=h200")
    return dict(value)


def _custom(value: Any) -> dict[str, float]:
    allowed = f"name=amount pairs, such as licence=1; {', '.join(_RAYS_OWN)} have options of their own"
    if not isinstance(value, Mapping) or set(value) & set(_RAYS_OWN):
        raise InvalidValueError("custom", value, allowed)
    found = {name: _number(f"custom {name}", amount, "an amount above 0") for name, amount in value.items()}
    if not all(amount > 0 for amount in found.values()):
        raise InvalidValueError("custom", value, allowed)
    return found


def _number(what: str, value: Any, allowed: str) -> float:
    """Read a number or a fraction; whole ones stay whole."""
    try:
        number = float(Fraction(value)) if isinstance(value, str) else float(value)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise InvalidValueError(what, value, allowed) from None
    if not abs(number) < float("inf"):
        raise InvalidValueError(what, value, allowed)
    return int(number) if number == int(number) else number


_READ: Mapping[str, Callable[[Any], Any]] = {
    "workers_per_trial": _workers,
    "cpus": _cpus,
    "gpus": _gpus,
    "memory": _memory,
    "labels": _labels,
    "custom": _custom,
}
