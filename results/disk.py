"""Files and folders of a local disk that appear whole or not at all, also after a power cut."""

import errno
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

__all__ = ["copy_and_rename", "file_sizes", "replace_folder", "sync_folder", "write_and_link", "write_and_rename"]

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_and_rename(target: Path, data: bytes) -> None:
    """Write a file whole, in place of what is there."""
    staging = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        _write_synced(staging, data)
        staging.replace(target)
        sync_folder(target.parent)
    finally:
        staging.unlink(missing_ok=True)


def copy_and_rename(source: Path, target: Path) -> None:
    """Copy a file whole, in place of what is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        shutil.copyfile(source, staging)
        with staging.open("rb") as handle:
            os.fsync(handle.fileno())
        staging.replace(target)
        sync_folder(target.parent)
    finally:
        staging.unlink(missing_ok=True)


def file_sizes(folder: str) -> dict[str, int]:
    """Return the lengths of the files in a folder that are not hidden; empty if there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file() and entry.name[0] != "."}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def write_and_link(target: Path, data: bytes) -> None:
    """Write a file whole under a name that must be free; FileExistsError if it is not."""
    staging = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        _write_synced(staging, data)
        os.link(staging, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        with target.open("xb") as handle:
            handle.write(data)
    finally:
        staging.unlink(missing_ok=True)


def replace_folder(staging: Path, target: Path) -> None:
    """Rename `staging` to `target`; an older folder of that name is moved aside first and deleted.

    If another writer puts its folder there at the same time, that one stays: it has the same content.
    """
    try:
        staging.rename(target)
    except OSError:
        aside = target.parent / f".{target.name}.{uuid.uuid4().hex}.old"
        with suppress(FileNotFoundError):  # another writer has just moved it
            target.rename(aside)
        try:
            staging.rename(target)
        except OSError:
            if not target.exists():
                with suppress(FileNotFoundError):
                    aside.rename(target)
                raise
        shutil.rmtree(aside, ignore_errors=True)
