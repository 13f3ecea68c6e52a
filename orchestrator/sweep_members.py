"""Which trials a sweep was made of, kept in the store: a trial does not know the sweeps that asked for it."""

import json
import urllib.parse
from collections.abc import Mapping

from results.files import Files
from search_spaces.spec import canonical_json, content_hash

__all__ = ["record_sweep", "recorded_sweeps"]

_SWEEPS = "sweeps"


def record_sweep(files: Files, name: str, datasets: Mapping[str, str]) -> None:
    """Remember the members of a sweep.

    Every call adds: the file `sweeps/<name>/<content hash>.json` is never changed, so drivers that share a store
    and a sweep's name do not overwrite each other.

    Args:
        files: the store's files.
        name: the sweep's name.
        datasets: trial id -> key of its data set.
    """
    content = {"sweep": name, "datasets": dict(datasets)}
    path = (_SWEEPS, urllib.parse.quote(name, safe=""), f"{content_hash(content)}.json")
    if not files.exists(*path):
        files.write(canonical_json(content).encode(), *path)


def recorded_sweeps(files: Files) -> dict[str, dict[str, str]]:
    """Return sweep name -> (trial id -> data set) of every sweep that was recorded, sorted by name."""
    sweeps: dict[str, dict[str, str]] = {}
    for folder in files.names(_SWEEPS):
        for name in files.names(_SWEEPS, folder):
            content = json.loads(files.read(_SWEEPS, folder, name))
            sweeps.setdefault(content["sweep"], {}).update(content["datasets"])
    return dict(sorted(sweeps.items()))
