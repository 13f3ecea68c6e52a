"""A user's own classes, which are in no folder that a worker scans."""

from collections.abc import Mapping
from typing import Any

from trainables.catalogs import DATASETS, METHODS

__all__ = ["Extensions", "add_extensions"]

Extensions = Mapping[str, Mapping[str, type[Any]]]
"""{"methods": {key: class}, "datasets": {key: class}}, shipped to workers by value."""


def add_extensions(extensions: Extensions) -> None:
    """Let this process know a user's own classes."""
    for catalog, kind in ((METHODS, "methods"), (DATASETS, "datasets")):
        for key, entry in extensions.get(kind, {}).items():
            catalog.add(entry, key)
