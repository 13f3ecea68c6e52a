"""Looking at and reading bytes in folders, local or in a bucket."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from results.disk import file_sizes
from results.file_system import RemoteFileSystem, open_file_system
from search_spaces.errors import MmptError

__all__ = ["ReadableFiles", "StoreError"]


class StoreError(MmptError):
    """A store that cannot be used as asked."""


class ReadableFiles:
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
            self._fs, self._root = open_file_system(root)
        except (ValueError, ImportError) as error:
            raise StoreError(f"store {root!r}: {error}") from error
        self.root = root
        self.is_local = not isinstance(self._fs, RemoteFileSystem)

    def path(self, *parts: str) -> str:
        """Join parts below the root, in the file system's own spelling."""
        return "/".join((self._root.rstrip("/"), *parts))

    def read(self, *parts: str) -> bytes:
        """Return a file's bytes; FileNotFoundError if there is none."""
        if self.is_local:  # a plan reads ten thousand
            return Path(self.path(*parts)).read_bytes()
        data: bytes = self._fs.cat_file(self.path(*parts))
        return data

    def read_range(self, start: int, end: int, *parts: str) -> bytes:
        """Return a file's bytes from `start` up to `end`, or fewer; FileNotFoundError if there is none."""
        data: bytes = self._fs.cat_file(self.path(*parts), start=start, end=end)
        return data

    def names(self, *parts: str) -> list[str]:
        """Names in a folder, sorted; empty if there is no such folder. Names that start with a dot are left out."""
        folder = self.path(*parts)
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

    def sizes(self, *parts: str) -> dict[str, int]:
        """Return the lengths in bytes of the files in a folder, from one listing; empty if there is no such folder."""
        if self.is_local:
            return file_sizes(self.path(*parts))
        return self._sizes_below(parts).get("", {})

    def folder_sizes(self, *parts: str) -> dict[str, dict[str, int]]:
        """Return the same for each folder in a folder: in a bucket, one listing for all of them."""
        if self.is_local:
            return {name: file_sizes(self.path(*parts, name)) for name in self.names(*parts)}
        return {name: sizes for name, sizes in self._sizes_below(parts).items() if name and not name.startswith(".")}

    def _sizes_below(self, parts: Sequence[str]) -> dict[str, dict[str, int]]:
        prefix = f"{self.path(*parts)}/"
        found: dict[str, dict[str, int]] = {}
        for path, size in self._fs.find(prefix.rstrip("/")).items():
            folder, _, name = path.removeprefix(prefix).rpartition("/")
            found.setdefault(folder, {})[name] = size
        return found

    def read_many(self, paths: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], bytes]:
        """Return the bytes of many small files, from a bucket many at once; those that are not there are left out."""
        if not self.is_local:
            found = self._fs.cat([self.path(*parts) for parts in paths])
            return {parts: found[self.path(*parts)] for parts in paths if self.path(*parts) in found}
        read: dict[tuple[str, ...], bytes] = {}
        for parts in paths:
            with suppress(FileNotFoundError, NotADirectoryError):
                read[parts] = Path(self.path(*parts)).read_bytes()
        return read

    def download(self, local: Path, *parts: str) -> None:
        """Copy a file from here to a local path that nobody looks at yet; FileNotFoundError if there is none."""
        self._fs.get_file(self.path(*parts), str(local))
