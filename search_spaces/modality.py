"""Modalities, and patterns: the non-empty sets of modalities that can be available for a sample."""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Self

from search_spaces.errors import InvalidValueError

__all__ = ["EACH", "FULL", "Modality", "Pattern", "pattern_label", "patterns"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_JOIN = "-"  # legal in file names and MLflow metric names, and never part of a modality's name

FULL = "all"
"""The label of the pattern in which every modality is available."""

EACH = "each"
"""In place of a method's modality: planning makes one trial per modality of the data set of it."""


class Modality(str):
    """A modality's name, snake_case: `image`, `audio`, `text`.

    Raises:
        InvalidValueError: the name is not snake_case.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        """Check the name and return it as a `Modality`."""
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in (FULL, EACH):
            raise InvalidValueError("modality", name, "a snake_case name such as 'image'")
        return super().__new__(cls, name)


class Pattern(tuple[Modality, ...]):
    """A non-empty set of available modalities, in alphabetical order.

    >>> Pattern(["image", "audio"]).key
    'audio-image'
    >>> Pattern.from_key("audio-image") == Pattern(["audio", "image"])
    True
    """

    __slots__ = ()

    def __new__(cls, modalities: Sequence[str]) -> Self:
        """Sort and check the names; a repeated name counts once."""
        names = sorted({Modality(name) for name in modalities})
        if not names:
            raise InvalidValueError("pattern", list(modalities), "at least one modality")
        return super().__new__(cls, names)

    def __getnewargs__(self) -> tuple[tuple[Modality, ...]]:
        return (tuple(self),)

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Read the `key` of a pattern."""
        return cls(key.split(_JOIN))

    @property
    def key(self) -> str:
        """The pattern's name in files and columns, for instance `audio-image`."""
        return _JOIN.join(self)


def patterns(modalities: Sequence[str]) -> tuple[Pattern, ...]:
    """All non-empty patterns, the full one first, single modalities last.

    >>> [pattern.key for pattern in patterns(["audio", "image"])]
    ['audio-image', 'audio', 'image']
    """
    names = Pattern(modalities)
    sizes = range(len(names), 0, -1)
    return tuple(Pattern(chosen) for size in sizes for chosen in combinations(names, size))


def pattern_label(pattern: Pattern, modalities: Sequence[str]) -> str:
    """How a pattern is called in metric names: `all` or `only_<modalities>`.

    >>> pattern_label(Pattern(["audio"]), ["audio", "image"])
    'only_audio'
    """
    return FULL if len(pattern) == len(set(modalities)) else f"only_{pattern.key}"
