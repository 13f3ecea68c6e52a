"""Bytes in folders, local or in a bucket: whole files only, so that a reader never meets half of one."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec

from search_spaces.errors import MmptError

__all__ = ["Files", "StoreError", "absolute_root"]


class StoreError(MmptError):
    """A store that cannot be used as asked."""


def absolute_root(root: str | os.PathLike[str]) -> str:
    """Resolve a relative store path against the current directory; leave URLs and absolute paths alone.

    >>> absolute_root("s3://bucket/sweeps")
    's3://bucket/sweeps'
    """
    text = os.fspath(root)
    return text if "://" in text else str(Path(text).expanduser().absolute())


class Files:
    """A tree of files under an absolute path or an fsspec URL.

    Raises:
        StoreError: the root is a relative path, or no file system answers to its URL.
    """

    def __init__(self, root: str) -> None:
        if "://" not in root and not Path(root).is_absolute():
            raise StoreError(
                f"store {root!r}: a relative path would mean another folder in every process; make it absolute"
            )
        try:
            self._fs, self._root = fsspec.core.url_to_fs(root)
        except (ValueError, ImportError) as error:
            raise StoreError(f"store {root!r}: {error}") from error
        self.root = root
        self.is_local = self._fs.protocol in ("file", ("file", "local"))

    def path(self, *parts: str) -> str:
        """Join parts below the root, in the file system's own spelling."""
        return "/".join((self._root.rstrip("/"), *parts))

    def read(self, *parts: str) -> bytes:
        """Return a file's bytes; FileNotFoundError if there is none."""
        data: bytes = self._fs.cat_file(self.path(*parts))
        return data

    def write(self, data: bytes, *parts: str) -> None:
        """Write a file whole: a reader sees the old content or the new one, also after a power cut."""
        target = self.path(*parts)
        if not self.is_local:
            self._fs.pipe_file(target, data)
            return
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        _write_and_rename(Path(target), data)

    def publish(self, folder: tuple[str, ...], files: Mapping[str, bytes], last: str) -> None:
        """Make a folder of files appear at once; `last` is the file whose presence says that all are there.

        On a local disk the folder is renamed into place; in a bucket `last` is deleted first and written last. A
        folder that is already there is replaced: callers publish equal content under equal names.
        """
        if not self.is_local:
            self.remove(*folder, last)
            for name in sorted(files, key=lambda name: name == last):
                self._fs.pipe_file(self.path(*folder, name), files[name])
            return
        with self.staging(*folder[:-1]) as staging:
            for name, data in files.items():
                (staging / name).write_bytes(data)
            self.publish_staged(staging, folder, last)

    @contextmanager
    def staging(self, *parts: str) -> Iterator[Path]:
        """Give an empty local folder for files too big to hold in memory, on the disk of the folder `parts`.

        It is gone afterwards; `publish_staged` makes its files appear before that.
        """
        if not self.is_local:
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder)
            return
        staging = Path(self.path(*parts, f".{uuid.uuid4().hex}"))
        staging.mkdir(parents=True)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def publish_staged(self, staging: Path, folder: tuple[str, ...], last: str) -> None:
        """Make the files of a staging folder appear at once as `folder`; as `publish` does, without reading them."""
        names = sorted((path.name for path in staging.iterdir()), key=lambda name: (name == last, name))
        if not self.is_local:
            self.remove(*folder, last)
            for name in names:
                self._fs.put_file(str(staging / name), self.path(*folder, name))
            return
        target = Path(self.path(*folder))
        for name in names:
            with (staging / name).open("rb") as handle:
                os.fsync(handle.fileno())
        _sync_folder(staging)
        _replace_folder(staging, target)
        _sync_folder(target.parent)

    def read_range(self, start: int, end: int, *parts: str) -> bytes:
        """Return a file's bytes from `start` up to `end`, or fewer; FileNotFoundError if there is none."""
        data: bytes = self._fs.cat_file(self.path(*parts), start=start, end=end)
        return data

    def names(self, *parts: str) -> list[str]:
        """Names in a folder, sorted; empty if there is no such folder. Names that start with a dot are left out."""
        folder = self.path(*parts)
        self._fs.invalidate_cache()
        try:
            listed: list[Any] = self._fs.ls(folder, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = {str(path).rstrip("/").rpartition("/")[2] for path in listed if str(path).rstrip("/") != folder}
        return sorted(name for name in names if not name.startswith("."))

    def exists(self, *parts: str) -> bool:
        """Tell whether a file or folder is there."""
        return bool(self._fs.exists(self.path(*parts)))

    def size(self, *parts: str) -> int:
        """Return a file's length in bytes; FileNotFoundError if there is none."""
        return int(self._fs.size(self.path(*parts)))

    def remove(self, *parts: str) -> None:
        """Delete a file or a whole folder; nothing happens if it is not there."""
        if self.exists(*parts):
            self._fs.rm(self.path(*parts), recursive=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_and_rename(target: Path, data: bytes) -> None:
    staging = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        _write_synced(staging, data)
        staging.replace(target)
        _sync_folder(target.parent)
    finally:
        staging.unlink(missing_ok=True)


def _replace_folder(staging: Path, target: Path) -> None:
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
