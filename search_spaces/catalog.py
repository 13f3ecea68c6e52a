"""Catalogs: things found by scanning a folder, one file each, plus what third parties add."""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from search_spaces.errors import InvalidValueError, UnknownNameError

__all__ = ["Catalog", "camel_case", "snake_case"]

T = TypeVar("T")


def camel_case(key: str) -> str:
    """Return the class name that belongs to a file name.

    >>> camel_case("ogm_ge")
    'OgmGe'
    """
    return "".join(part.capitalize() for part in key.split("_"))


def snake_case(name: str) -> str:
    """Return the key that belongs to a class name.

    >>> snake_case("OgmGe")
    'ogm_ge'
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Catalog(Generic[T]):
    """Named things of one kind. A file in the package's folder is an entry; its name is the entry's key.

    Nothing is imported until it is asked for.

    Args:
        kind: what the entries are, for messages: "method".
        package: dotted name of the folder that is scanned.
        attribute: what a file must define; by default the class whose CamelCase name matches the file's.
        more: entries that are kept elsewhere and may change at any time; a file of the same name comes first.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        attribute: str | None = None,
        more: Mapping[str, T] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.more = more
        self._package = package
        self._attribute = attribute
        self._added: dict[str, T] = {}

    @property
    def entry_point_group(self) -> str:
        """Where an installed third-party package announces entries, for instance `mmpt.methods`."""
        return f"mmpt.{self._package.rpartition('.')[2]}"

    def names(self) -> tuple[str, ...]:
        """All keys, sorted."""
        return tuple(sorted({*self._files(), *self._entry_points(), *self._added, *self.more}))

    def shipped(self) -> tuple[str, ...]:
        """The keys of built-in entries, sorted."""
        return tuple(sorted(self._files()))

    def add(self, entry: T, key: str | None = None) -> str:
        """Add an object of the user's own under `key`, by default its class name in snake_case; return the key.

        Raises:
            InvalidValueError: the key belongs to a built-in entry.
        """
        name = key or snake_case(getattr(entry, "__name__", type(entry).__name__))
        if name in self._files():
            raise InvalidValueError(self.kind, name, "a name that no built-in one has")
        self._added[name] = entry
        return name

    def added(self) -> dict[str, T]:
        """The entries that `add` brought in."""
        return dict(self._added)

    def get(self, key: str) -> T:
        """Return an entry.

        Raises:
            UnknownNameError: nothing has this name; the message has the nearest match.
        """
        if key in self._added:
            return self._added[key]
        if key in self._files():
            found: T = _defined_in(self._package, key, self._attribute)
            return found
        if key in self.more:
            return self.more[key]
        for point in entry_points(group=self.entry_point_group):
            if point.name == key:
                loaded: T = point.load()
                return loaded
        raise UnknownNameError(self.kind, key, self.names())

    def items(self) -> Iterator[tuple[str, T]]:
        """(key, entry) pairs in the order of the keys."""
        return ((name, self.get(name)) for name in self.names())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, key: object) -> bool:
        return any(key in known for known in (self._added, self._files(), self._entry_points(), self.more))

    def _files(self) -> frozenset[str]:
        return _files_of(self._package)

    def _entry_points(self) -> frozenset[str]:
        return _entry_points_of(self.entry_point_group)


# Planning thousands of trials asks tens of thousands of times; no answer changes within a process.


@cache
def _files_of(package: str) -> frozenset[str]:
    paths: Any = import_module(package).__path__
    return frozenset(item.name for item in pkgutil.iter_modules(paths) if not item.name.startswith("_"))


@cache
def _defined_in(package: str, key: str, attribute: str | None) -> Any:
    return getattr(import_module(f"{package}.{key}"), attribute or camel_case(key))


@cache
def _entry_points_of(group: str) -> frozenset[str]:
    return frozenset(point.name for point in entry_points(group=group))
