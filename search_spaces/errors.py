"""The errors a user can cause, each worded so that the next attempt succeeds."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = ["InvalidValueError", "MmptError", "SweepStoppedError", "UnknownNameError", "nearest"]

SHOWN_NAMES = 20


class MmptError(Exception):
    """Base of every error that a user's input can cause; the command line prints it in one line and exits 2."""

    exit_code = 2


class SweepStoppedError(MmptError):
    """A sweep that had begun and cannot go on: its cluster is lost, or a disk is full. What is done is kept."""

    exit_code = 4


class InvalidValueError(MmptError):
    """A value outside what is allowed.

    >>> print(InvalidValueError("p_train", 1.5, "a rate in [0, 1]"))
    p_train: 1.5 is not allowed; expected a rate in [0, 1]
    """

    def __init__(self, what: str, value: Any, allowed: str) -> None:
        super().__init__(f"{what}: {value!r} is not allowed; expected {allowed}")


class UnknownNameError(MmptError):
    """A name that nothing answers to, with the nearest match and what is allowed.

    >>> print(UnknownNameError("method", "naiv", ["mtl", "naive"]))
    unknown method 'naiv'; did you mean 'naive'? Known: mtl, naive
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        match = nearest(name, names)
        hint = f"did you mean {match!r}? " if match else ""
        more = f", ... ({len(names)} in all)" if len(names) > SHOWN_NAMES else ""
        super().__init__(f"unknown {kind} {name!r}; {hint}Known: {', '.join(names[:SHOWN_NAMES])}{more}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is close."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None
