"""What a user hands to a `Sweep`, checked before anything is started."""

from collections.abc import Iterable, Sequence
from typing import Any

from search_spaces.catalog import Catalog
from search_spaces.errors import InvalidValueError
from search_spaces.spec import TrialSpec

__all__ = ["added_classes", "checked_specs"]


def checked_specs(trials: Iterable[TrialSpec]) -> tuple[TrialSpec, ...]:
    """Return the specs of a grid or collection.

    Raises:
        InvalidValueError: something in it is no `TrialSpec`.
    """
    specs = tuple(trials)
    for spec in specs:
        if not isinstance(spec, TrialSpec):
            raise InvalidValueError("trials", spec, "a preset, a Grid or TrialSpecs")
    return specs


def added_classes(
    catalog: Catalog[Any], classes: Sequence[type[Any]], base: type[Any], used: Iterable[str] = ()
) -> dict[str, type[Any]]:
    """Add a user's classes to a catalog; return by key all that workers elsewhere would not find.

    Args:
        catalog: where they are added.
        classes: the user's.
        base: what they must be.
        used: keys that the trials name; some may be what only this machine remembers.

    Raises:
        InvalidValueError: one is not of the right kind, or has the name of a built-in one.
    """
    for entry in classes:
        if not issubclass(entry, base):
            raise InvalidValueError(catalog.kind, entry.__name__, f"a subclass of {base.__name__}")
    remembered = {key: catalog.more[key] for key in used if key in catalog.more}
    return {**remembered, **{catalog.add(entry): entry for entry in classes}}
