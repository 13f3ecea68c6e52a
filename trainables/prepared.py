"""Prepared data: decoded once per node into a memory-mapped Arrow file that is named by its content."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock

from results.schema_version import SCHEMA_VERSION, check_version
from search_spaces.errors import MmptError
from trainables.api_data import DataInfo, Dataset
from trainables.prepared_arrays import (
    Prepared,
    checksum_of_the_rest,
    from_table,
    info_from_json,
    info_to_json,
    to_numbers,
    to_table,
)
from trainables.preparing.building import DATA, BuildOptions, fill_file, staging_folder
from trainables.preparing.file_dataset import FileDataset
from trainables.raw_data_checks import check_raw_data
from trainables.sample_digests import DIGEST, sample_digests

__all__ = ["Prepared", "PreparedError", "open_prepared", "prepare", "verify"]

_CARD = "card.json"


class PreparedError(MmptError):
    """Prepared data that cannot be written or read."""


def prepare(dataset: Dataset, fingerprint: str, cache_root: Path, options: BuildOptions | None = None) -> Prepared:
    """Return prepared data, building it first if nobody has; of several processes at once, one builds.

    Raises:
        RawDataError: the raw files are not there, or not what they should be.
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
                _build(dataset, folder, options or BuildOptions())
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
        return from_table(_read_table(folder), fingerprint, info_from_json(card["info"]))
    except (pa.ArrowException, KeyError, ValueError, TypeError, OSError) as error:
        raise _damaged(folder, str(error)) from error


def verify(fingerprint: str, cache_root: Path) -> None:
    """Read all of the prepared data and compare its checksums; for a driver's check before a sweep starts.

    Raises:
        PreparedError: it is absent or damaged; the message names the folder to delete.
    """
    folder = cache_root / fingerprint
    prepared = open_prepared(fingerprint, cache_root)
    table = _read_table(folder)
    found, expected = checksum_of_the_rest(table), _read_card(folder)["crc32"]
    if found != expected:
        raise _damaged(folder, f"checksum {found:08x} instead of {expected:08x}")
    kept = to_numbers(table.column(DIGEST), "uint32", (table.num_rows,))
    wrong = sample_digests(prepared.inputs, prepared.present, 0, table.num_rows) != kept
    if wrong.any():
        raise _damaged(folder, f"checksum of {int(wrong.sum())} samples")


def _read_table(folder: Path) -> pa.Table:
    with pa.memory_map(str(folder / DATA)) as source:
        return pa.ipc.open_file(source).read_all()


def _damaged(folder: Path, why: str) -> PreparedError:
    return PreparedError(f"prepared data in {folder} is damaged ({why}); delete that folder and start again")


def _read_card(folder: Path) -> dict[str, Any]:
    """Read card.json and check the size of what it describes."""
    try:
        card: dict[str, Any] = json.loads((folder / _CARD).read_text())
        check_version(card["schema_version"], f"prepared data in {folder}")
        size = (folder / DATA).stat().st_size
        if size != card["bytes"]:
            raise _damaged(folder, f"{DATA} has {size} bytes instead of {card['bytes']}")
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


def _build(dataset: Dataset, folder: Path, options: BuildOptions) -> None:
    """Decode, check and write; call it while holding the lock, so that whatever an earlier attempt left is ours."""
    staging = staging_folder(folder)
    if isinstance(dataset, FileDataset):
        with _writing_below(folder.parent):
            fill_file(dataset, staging, options)
    else:
        info, raw = dataset.info(), dataset.load()
        check_raw_data(raw, info)
        with _writing_below(folder.parent):
            _write_arrays(to_table(raw, info), staging)
    with _writing_below(folder.parent):
        _write_card(dataset.info(), staging)
        staging.rename(folder)


def _write_arrays(table: pa.Table, staging: Path) -> None:
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    with pa.ipc.new_file(staging / DATA, table.schema) as writer:
        writer.write_table(table)


def _write_card(info: DataInfo, staging: Path) -> None:
    """Describe the data; it is not flushed to the disk, since a sweep reads all of it back before it starts."""
    crc32 = checksum_of_the_rest(_read_table(staging))
    about = {"schema_version": SCHEMA_VERSION, "bytes": (staging / DATA).stat().st_size, "crc32": crc32}
    (staging / _CARD).write_text(json.dumps({**about, "info": info_to_json(info)}, indent=1))
