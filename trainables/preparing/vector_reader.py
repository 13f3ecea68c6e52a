"""Features that somebody extracted before: npy files of one or two axes to vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables.api_data import InputInfo
from trainables.decoding.arrays import decode_npy
from trainables.decoding.decoded import Decoded
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader, file_bytes
from trainables.preparing.tree import Tree

__all__ = ["VectorReader"]


@dataclass(frozen=True)
class VectorReader(Reader):
    """Media are paths of npy files, or tuples of them; everything but the last axis is averaged over."""

    width: int

    def info(self) -> InputInfo:
        """A vector."""
        return InputInfo(kind="vector", shape=(self.width,))

    def identity(self, media: Media, tree: Tree) -> Any:
        """The files' sizes; None if there is none."""
        sizes = [tree.sizes.get(path) for path in _paths(media)]
        return sizes if any(size is not None for size in sizes) else None

    def where(self, media: Media) -> str | None:
        """The first file."""
        return next(iter(_paths(media)), None)

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Read and average."""
        return [self._read_one(_paths(files), root) for files in media]

    def _read_one(self, paths: list[str], root: Path) -> Decoded:
        rows: list[Any] = []
        issues: list[str] = []
        for path in paths:
            data = file_bytes(root, path)
            found = Decoded(None, ("missing_file",)) if data is None else decode_npy(data)
            issues += found.issues
            values = found.values
            if values is not None and values.ndim and values.shape[-1] == self.width and np.isfinite(values).all():
                rows.append(values.astype(np.float32).reshape(-1, self.width))
            elif values is not None:
                issues.append("unreadable_array")
        together = np.concatenate(rows) if rows else np.empty((0, self.width), np.float32)
        return Decoded(together.mean(axis=0) if len(together) else None, tuple(dict.fromkeys(issues)))


def _paths(media: Media) -> list[str]:
    return [media] if isinstance(media, str) else [str(path) for path in media or ()]
