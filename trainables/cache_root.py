"""Where prepared data, and what is remembered of raw data, lies on this machine, and where machines share it."""

import os
from pathlib import Path

from search_spaces.errors import InvalidValueError

__all__ = ["default_cache_root", "default_shared_cache"]


def default_cache_root() -> Path:
    """Folder of prepared data: `MMPT_CACHE`, else `mmpt-sweep` in the user's cache folder.

    Raises:
        InvalidValueError: MMPT_CACHE is a relative path, which would mean another folder in every process.
    """
    if chosen := os.environ.get("MMPT_CACHE"):
        if not Path(chosen).expanduser().is_absolute():
            raise InvalidValueError("MMPT_CACHE", chosen, "an absolute path")
        return Path(chosen).expanduser()
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "mmpt-sweep"


def default_shared_cache() -> str:
    """Folder or bucket URL in which machines share prepared data: `MMPT_SHARED_CACHE`, else "" for none."""
    return os.environ.get("MMPT_SHARED_CACHE", "")
