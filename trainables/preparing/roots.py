"""Where raw data lies on this machine: no part of any trial's identity, so that it may differ between machines."""

import json
import os
from pathlib import Path

from search_spaces.errors import InvalidValueError
from trainables.cache_root import default_cache_root
from trainables.preparing.tree import RawDataError

__all__ = ["known_root", "remember_root"]

_FOLDER = "roots"


def known_root(key: str, title: str, layout: str) -> Path:
    """Return the raw folder of a data set: `$MMPT_DATA/<key>` if it is there, else what `mmpt prepare` was told.

    Raises:
        RawDataError: neither is known; the message says what to do and which tree is expected.
        InvalidValueError: MMPT_DATA is a relative path.
    """
    if chosen := os.environ.get("MMPT_DATA"):
        folder = Path(chosen).expanduser()
        if not folder.is_absolute():
            raise InvalidValueError("MMPT_DATA", chosen, "an absolute path")
        if (folder / key).is_dir():
            return folder / key
    try:
        return Path(json.loads((default_cache_root() / _FOLDER / f"{key}.json").read_text())["root"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    indented = "\n".join(f"  {line}" for line in layout.strip("\n").splitlines())
    raise RawDataError(
        f"{title} has to be on this machine: mmpt prepare {key} --root DIR, or MMPT_DATA naming a folder that has "
        f"{key}/; expected in it\n{indented}"
    )


def remember_root(key: str, root: Path) -> None:
    """Let `known_root` find this folder from now on."""
    folder = default_cache_root() / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    staging = folder / f".{key}.{os.getpid()}"
    staging.write_text(json.dumps({"root": str(root.absolute())}))
    staging.replace(folder / f"{key}.json")
