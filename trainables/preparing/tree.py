"""A folder of raw files, listed once and always in the same order; nothing outside the listing can be read."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from search_spaces.errors import MmptError
from trainables.preparing.audit import Audit

__all__ = ["RawDataError", "Tree"]

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".7z", ".rar")
_SHOWN = 12


class RawDataError(MmptError):
    """Raw data that is not what the data set is made of; the message says what was expected and found."""


class Tree:
    """The files below a folder.

    Links are followed, but no folder is entered twice. What a Mac leaves behind is set apart.

    Args:
        root: the folder.
        beside: files elsewhere whose changes count in `signature`, too.

    Attributes:
        root: absolute.
        sizes: path relative to the root, with slashes -> bytes; sorted by path.
        apple_doubles: paths that are ignored.

    Raises:
        RawDataError: the folder is not there or cannot be read.
    """

    def __init__(self, root: Path, beside: Sequence[Path] = ()) -> None:
        self.root = root.absolute()
        if not self.root.is_dir():
            raise RawDataError(f"{self.root} is {'not a folder' if self.root.exists() else 'not there'}")
        try:
            found = sorted(_walk(self.root, "", set()))
        except OSError as error:
            raise RawDataError(f"{error.filename or self.root} cannot be read: {error.strerror}") from error
        self.apple_doubles = [path for path, _, _ in found if _is_apple_double(path)]
        ignored = set(self.apple_doubles)
        kept = [item for item in found if item[0] not in ignored]
        self.sizes: Mapping[str, int] = {path: size for path, size, _ in kept}
        states = [(path, path.stat()) for path in beside if path.is_file()]
        self._stamps = [*kept, *((str(path), state.st_size, state.st_mtime_ns) for path, state in states)]
        self._folders: dict[str, list[str]] = {}
        for path in self.sizes:
            folder, _, name = path.rpartition("/")
            self._folders.setdefault(folder, []).append(name)

    @classmethod
    def find(cls, root: Path, markers: Sequence[str], layout: str, title: str) -> "Tree":
        """Return the tree of `root`, or of the one folder in it, that has one of the `markers`.

        Archives are often unpacked one folder too deep, so both levels are looked at.

        Args:
            root: what the user named.
            markers: relative files or folders, each of which shows that this is the data set.
            layout: the expected tree, for the message.
            title: the data set's name, for the message.

        Raises:
            RawDataError: neither level has a marker.
        """
        tree = cls(root)
        for base in ("", *sorted({path.partition("/")[0] for path in tree.sizes if "/" in path})):
            prefix = f"{base}/" if base else ""
            if any(tree.has(prefix + marker) or tree.has_folder(prefix + marker) for marker in markers):
                return cls(tree.root / base) if base else tree
        raise RawDataError(_not_found(tree, layout, title))

    def has(self, path: str) -> bool:
        """Tell whether the listing has this file."""
        return path in self.sizes

    def has_folder(self, path: str) -> bool:
        """Tell whether there is any file below this folder."""
        return path in self._folders or any(folder.startswith(f"{path}/") for folder in self._folders)

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the files directly in a folder, sorted."""
        return list(self._folders.get(folder, ()))

    def folders(self, folder: str = "") -> list[str]:
        """Return the names of the folders directly in a folder, sorted."""
        prefix = f"{folder}/" if folder else ""
        inside = (path[len(prefix) :] for path in self._folders if path.startswith(prefix) and path != folder)
        return sorted({path.partition("/")[0] for path in inside})

    def first(self, *paths: str) -> str | None:
        """Return the first of the paths that is there."""
        return next((path for path in paths if self.has(path)), None)

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            RawDataError: it is not in the listing or cannot be read.
        """
        if not self.has(path):
            raise RawDataError(f"{self.root / path} is not there")
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise RawDataError(f"{self.root / path} cannot be read: {error.strerror}") from error

    @cached_property
    def signature(self) -> str:
        """A hash of every path, size and time of change: equal as long as nobody touched the folder."""
        return hashlib.sha256(json.dumps(self._stamps).encode()).hexdigest()

    def audit(self) -> Audit:
        """Return the findings of the listing itself."""
        return Audit(("apple_double", path) for path in self.apple_doubles)


def _walk(folder: Path, prefix: str, entered: set[str]) -> Iterator[tuple[str, int, int]]:
    real = os.path.realpath(folder)
    if real in entered:
        return
    entered.add(real)
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_broken_link(entry):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", entered)
            elif entry.is_file():
                about = entry.stat()
                yield prefix + entry.name, about.st_size, about.st_mtime_ns


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not Path(entry.path).exists()  # nor does a link to itself


def _is_apple_double(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name.startswith("._") or name == ".DS_Store" or "__MACOSX" in folder.split("/")


def _not_found(tree: Tree, layout: str, title: str) -> str:
    found = sorted({path.partition("/")[0] + ("/" if "/" in path else "") for path in tree.sizes})
    shown = ", ".join(found[:_SHOWN]) + (f", ... ({len(found)} in all)" if len(found) > _SHOWN else "")
    packed = [name for name in found if name.endswith(_ARCHIVES)]
    cure = f"\nnot unpacked: {', '.join(packed)}; unpack it there" if packed else ""
    indented = "\n".join(f"  {line}" for line in layout.strip("\n").splitlines())
    return f"{tree.root} is not {title}; expected there\n{indented}\nfound: {shown or 'nothing'}{cure}"
