"""Which trials a sweep was made of, kept in the store: a trial does not know the sweeps that asked for it."""

import json
import urllib.parse
from collections.abc import Mapping
from pathlib import PurePosixPath

from results.files import Files
from results.store import Store
from search_spaces.spec import canonical_json, content_hash

__all__ = ["own_name", "record_sweep", "recorded_sweeps", "sweeps_of"]

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


def sweeps_of(store: Store, known: frozenset[str], chosen: str | None = None) -> dict[str, frozenset[str]]:
    """Return sweep name -> ids of its trials.

    Args:
        store: has recorded sweeps.
        known: ids of the trials that it has.
        chosen: a recorded sweep, or another name for all known trials. None: every recorded sweep, and the trials of
            none under `own_name`.
    """
    sweeps = {name: frozenset(datasets) for name, datasets in recorded_sweeps(store.files).items()}
    if chosen is not None:
        return {chosen: sweeps.get(chosen, known)}
    rest = known.difference(*sweeps.values())
    name = own_name(store)
    if rest or not sweeps:
        sweeps[name] = rest | sweeps.get(name, frozenset())
    return sweeps


def own_name(store: Store) -> str:
    """Return the name of the sweep of trials that no recorded sweep has: that of the store's folder."""
    return PurePosixPath(store.root.rstrip("/")).name or "store"
