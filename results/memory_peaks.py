"""The GPU memory that kinds of trials were measured to take, kept in the store: `memory/<kind>.json`."""

import json
from collections.abc import Mapping

from results.files import Files

__all__ = ["read_peak", "write_peak"]

_FOLDER = "memory"


def read_peak(files: Files, kind: str) -> int | None:
    """Return the most bytes that a kind of trial was measured to take; None if that is not known."""
    try:
        return int(json.loads(files.read(_FOLDER, f"{kind}.json"))["peak_bytes"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_peak(files: Files, kind: str, peak_bytes: int, about: Mapping[str, str]) -> None:
    """Keep what was measured, and in words what it was measured of."""
    files.write(json.dumps({**about, "peak_bytes": peak_bytes}, sort_keys=True).encode(), _FOLDER, f"{kind}.json")
