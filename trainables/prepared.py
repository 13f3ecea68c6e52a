"""Prepared data: decoded once per node into a memory-mapped Arrow file that is named by its content."""

import json
import os
import shutil
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock

from results.schema import SCHEMA_VERSION, check_version
from search_spaces.errors import InvalidValueError, MmptError
from trainables.api import DataInfo, Dataset
from trainables.prepared_arrays import Prepared, from_table, info_from_json, info_to_json, to_table
from trainables.raw_data_checks import check_raw_data

__all__ = ["Prepared", "PreparedError", "default_cache_root", "open_prepared", "prepare", "verify"]

_DATA = "data.arrow"
_CARD = "card.json"
_READ_BYTES = 1 << 22


class PreparedError(MmptError):
    """Prepared data that cannot be written or read."""


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


def prepare(dataset: Dataset, fingerprint: str, cache_root: Path) -> Prepared:
    """Return prepared data, building it first if nobody has; of several processes at once, one builds.

    Raises:
        InvalidDataError: the data set's samples break a rule; see `check_raw_data`.
        PreparedError: the cache folder cannot be written, or what it holds is damaged.
    """
    folder = cache_root / fingerprint
    if not folder.exists():
        with _writing_below(cache_root):
            cache_root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(cache_root / f"{fingerprint}.lock")
            lock.acquire()
        try:
            if not folder.exists():
                _build(dataset, folder)
        finally:
            lock.release()
    return open_prepared(fingerprint, cache_root)


def open_prepared(fingerprint: str, cache_root: Path) -> Prepared:
    """Map prepared data that is there; checks its size but does not read it.

    Raises:
        PreparedError: it is absent, damaged, or of a newer version of this program.
    """
    folder = cache_root / fingerprint
    card = _read_card(folder)
    try:
        with pa.memory_map(str(folder / _DATA)) as source:
            table = pa.ipc.open_file(source).read_all()
        return from_table(table, fingerprint, info_from_json(card["info"]))
    except (pa.ArrowException, KeyError, ValueError, TypeError, OSError) as error:
        raise _damaged(folder, str(error)) from error


def verify(fingerprint: str, cache_root: Path) -> None:
    """Read all of the prepared data and compare its checksum; for a driver's check before a sweep starts.

    Raises:
        PreparedError: it is absent or damaged; the message names the folder to delete.
    """
    folder = cache_root / fingerprint
    card = _read_card(folder)
    found = _crc32(folder / _DATA)
    if found != card["crc32"]:
        raise _damaged(folder, f"checksum {found:08x} instead of {card['crc32']:08x}")


def _damaged(folder: Path, why: str) -> PreparedError:
    return PreparedError(f"prepared data in {folder} is damaged ({why}); delete that folder and start again")


def _read_card(folder: Path) -> dict[str, Any]:
    """Read card.json and check the size of what it describes."""
    try:
        card: dict[str, Any] = json.loads((folder / _CARD).read_text())
        check_version(card["schema_version"], f"prepared data in {folder}")
        size = (folder / _DATA).stat().st_size
        if size != card["bytes"]:
            raise _damaged(folder, f"{_DATA} has {size} bytes instead of {card['bytes']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error
    return card


@contextmanager
def _writing_below(cache_root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cure = "set MMPT_CACHE to a folder that can be written"
        raise PreparedError(f"prepared data in {cache_root} cannot be written: {error}; {cure}") from error


def _build(dataset: Dataset, folder: Path) -> None:
    """Decode, check and write; call it while holding the lock."""
    info, raw = dataset.info(), dataset.load()
    check_raw_data(raw, info)
    with _writing_below(folder.parent):
        for abandoned in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(abandoned)  # of a builder that was killed: whoever holds the lock is alone
        staging = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
        staging.mkdir()
        try:
            _write(to_table(raw, info), info, staging)
            staging.rename(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _write(table: pa.Table, info: DataInfo, staging: Path) -> None:
    data = staging / _DATA
    with data.open("wb") as handle:
        with pa.ipc.new_file(handle, table.schema) as writer:
            writer.write_table(table)
        handle.flush()
        os.fsync(handle.fileno())
    about = {"schema_version": SCHEMA_VERSION, "bytes": data.stat().st_size, "crc32": _crc32(data)}
    (staging / _CARD).write_text(json.dumps({**about, "info": info_to_json(info)}, indent=1))


def _crc32(path: Path) -> int:
    checksum = 0
    with path.open("rb") as handle:
        while block := handle.read(_READ_BYTES):
            checksum = zlib.crc32(block, checksum)
    return checksum
