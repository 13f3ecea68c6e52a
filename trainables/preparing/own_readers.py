"""Readers of what a user's own table holds itself: files in cells, and lists of numbers."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables.api_data import InputInfo
from trainables.decoding.decoded import Decoded
from trainables.preparing.audio_reader import AudioReader
from trainables.preparing.image_reader import ImageReader
from trainables.preparing.manifest import Media
from trainables.preparing.own_saved import cell_bytes
from trainables.preparing.reader import Reader
from trainables.preparing.tree import Tree
from trainables.preparing.vector_reader import VectorReader

__all__ = ["CellReader", "NumbersReader"]


@dataclass(frozen=True)
class CellReader(Reader):
    """Media are paths, or (Arrow table, column, row, bytes) of a file in a table's cell."""

    inner: ImageReader | AudioReader

    def info(self) -> InputInfo:
        """As the inner reader says."""
        return self.inner.info()

    def identity(self, media: Media, tree: Tree) -> Any:
        """The file's size."""
        if media is None or isinstance(media, str):
            return self.inner.identity(media, tree)
        path, _, _, size = tuple(media)
        return size if tree.has(path) else None

    def read(self, media: Sequence[Media], root: Path) -> Iterable[Decoded]:
        """Decode each."""
        return (self._read_one(one, root) for one in media)

    def _read_one(self, media: Media, root: Path) -> Decoded:
        if media is None or isinstance(media, str):
            return next(iter(self.inner.read([media], root)))
        path, column, row, _ = tuple(media)
        data = cell_bytes(root, path, column, row)
        return Decoded(None, ("missing_file",)) if data is None else self.inner.decode(data)


@dataclass(frozen=True)
class NumbersReader(VectorReader):
    """Media are paths of npy files, or the bytes of float32 numbers."""

    def identity(self, media: Media, tree: Tree) -> Any:
        """The numbers' hash, or the file's size."""
        return hashlib.sha256(media).hexdigest() if isinstance(media, bytes) else super().identity(media, tree)

    def where(self, media: Media) -> str | None:
        """The file, if there is one."""
        return None if isinstance(media, bytes) else super().where(media)

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Read each."""
        return [self._read_either(one, root) for one in media]

    def _read_either(self, media: Media, root: Path) -> Decoded:
        if not isinstance(media, bytes):
            return super().read([media], root)[0]
        values = np.frombuffer(media, np.float32)
        good = len(values) == self.width and np.isfinite(values).all()
        return Decoded(values) if good else Decoded(None, ("unreadable_array",))
