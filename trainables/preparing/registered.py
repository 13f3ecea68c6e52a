"""The user's own data sets that this machine remembers, by name."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import MmptError
from trainables.cache_root import default_cache_root

if TYPE_CHECKING:
    from trainables.preparing.own_dataset import OwnRecord

__all__ = ["Registered", "remember"]

_FOLDER = "own"


class Registered(Mapping[str, Any]):
    """Name -> class, as it is on disk at the moment; equal records give the same class object."""

    def __getitem__(self, key: str) -> Any:
        try:
            return _made(key, _path(key).read_text(encoding="utf-8"))
        except OSError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in _path("").parent.glob("*.json")))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.isidentifier() and _path(key).is_file()


def remember(key: str, record: "OwnRecord") -> None:
    """Let every later process on this machine find the data set."""
    path = _path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{key}.{os.getpid()}")
    staging.write_text(json.dumps(asdict(record)), encoding="utf-8")
    staging.replace(path)


def _path(key: str) -> Path:
    return default_cache_root() / _FOLDER / f"{key}.json"


@lru_cache(maxsize=64)
def _made(key: str, text: str) -> Any:
    from trainables.preparing.own_dataset import OwnRecord, own_class  # noqa: PLC0415 (most sweeps have none)

    try:
        plain = json.loads(text)
        return own_class(key, OwnRecord(**{**plain, "classes": tuple(plain["classes"])}))
    except (ValueError, KeyError, TypeError) as error:
        raise MmptError(f"{_path(key)} is damaged; register {key} again: mmpt prepare {key} --root DIR") from error
