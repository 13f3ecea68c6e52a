"""Bytes in folders, local or in a bucket: whole files only, so that a reader never meets half of one."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from results.disk import copy_and_rename, replace_folder, sync_folder, write_and_link, write_and_rename
from results.readable_files import ReadableFiles, StoreError

__all__ = ["Files", "StoreError", "absolute_root"]


def absolute_root(root: str | os.PathLike[str]) -> str:
    """Resolve a relative store path against the current directory; leave URLs and absolute paths alone.

    >>> absolute_root("s3://bucket/sweeps")
    's3://bucket/sweeps'
    """
    text = os.fspath(root)
    return text if "://" in text else str(Path(text).expanduser().absolute())


class Files(ReadableFiles):
    """A tree of files under an absolute path or an fsspec URL; see `ReadableFiles` for reading and for errors."""

    def write(self, data: bytes, *parts: str) -> None:
        """Write a file whole: a reader sees the old content or the new one, also after a power cut."""
        target = self.path(*parts)
        if not self.is_local:
            self._fs.pipe_file(target, data)
            return
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        write_and_rename(Path(target), data)

    def create(self, data: bytes, *parts: str) -> bool:
        """Write a file whole if there is none; of several that try at once exactly one is told True.

        In a bucket that needs a service with conditional puts; a file system without hard links may show the winner's
        file empty for a moment.
        """
        target = self.path(*parts)
        try:
            if not self.is_local:
                self._fs.pipe_file(target, data, mode="create")
                return True
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            write_and_link(Path(target), data)
        except FileExistsError:
            return False
        return True

    def publish(self, folder: tuple[str, ...], files: Mapping[str, bytes], last: str) -> None:
        """Make a folder of files appear at once; `last` is the file whose presence says that all are there.

        On a local disk the folder is renamed into place; in a bucket `last` is deleted first and written last. A
        folder that is already there is replaced: callers publish equal content under equal names.
        """
        if not self.is_local:
            self.remove_file(*folder, last)
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
            self.remove_file(*folder, last)
            for name in names:
                self._fs.put_file(str(staging / name), self.path(*folder, name))
            return
        target = Path(self.path(*folder))
        for name in names:
            with (staging / name).open("rb") as handle:
                os.fsync(handle.fileno())
        sync_folder(staging)
        replace_folder(staging, target)
        sync_folder(target.parent)

    def upload(self, local: Path, *parts: str) -> None:
        """Copy a local file here, whole, without holding it in memory."""
        if not self.is_local:
            self._fs.put_file(str(local), self.path(*parts))
            return
        copy_and_rename(local, Path(self.path(*parts)))

    def remove_file(self, *parts: str) -> None:
        """Delete a file; nothing happens if it is not there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._fs.rm_file(self.path(*parts))

    def remove(self, *parts: str) -> None:
        """Delete a file or a whole folder; nothing happens if it is not there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._fs.rm(self.path(*parts), recursive=True)
