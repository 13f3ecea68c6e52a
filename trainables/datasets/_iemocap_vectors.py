"""IEMOCAP's extracted features: GCNet's npy files, and MMIN's HDF5 files with a sequence of frames per utterance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from trainables.api_data import InputInfo
from trainables.api_files import Audit, Media, RawDataError, Reader, Tree, VectorReader
from trainables.datasets._iemocap_faces import FaceReader, faces_of
from trainables.datasets._iemocap_utterances import MMIN
from trainables.decoding.decoded import Decoded
from trainables.decoding.hdf5 import array_at

__all__ = ["SequenceReader", "gcnet_folders", "gcnet_media", "gcnet_readers", "mmin_files", "mmin_readers"]

_GCNET = MappingProxyType(
    {"audio": ("wav2vec-large-c-UTT", 512), "text": ("deberta-large-4-UTT", 1024), "visual": ("manet_UTT", 1024)}
)
_MMIN = MappingProxyType(
    {
        "audio": ("A/comparE.h5", 130, "silent_audio"),
        "text": ("L/bert_large.h5", 1024, "empty_text"),
        "visual": ("V/denseface.h5", 342, "no_face"),
    }
)
_UNREADABLE = Decoded(None, ("unreadable_array",))


@dataclass(frozen=True)
class SequenceReader(Reader):
    """Media are pairs of an HDF5 file, the same for all, and a key in it, under which are frames (T, width).

    Frames are averaged over. Those of zeros do not count: MMIN fills sequences up with them, and has one where no face
    was found. Sound is standardised by what a fold's training utterances have.

    Attributes:
        width: numbers per frame.
        nothing: the audit code of a sequence of nothing but zeros.
        fold: whose means and deviations, which are in a file beside, are taken; "" leaves the numbers as they are.
    """

    width: int
    nothing: str
    fold: str = ""

    def info(self) -> InputInfo:
        """A vector."""
        return InputInfo(kind="vector", shape=(self.width,))

    def identity(self, media: Media, tree: Tree) -> Any:
        """The sizes of the files, and the key."""
        path, name = tuple(media or ("", ""))
        sizes = [tree.sizes.get(path), *([tree.sizes.get(_statistics(path))] if self.fold else [])]
        return None if None in sizes else [*sizes, name]

    def where(self, media: Media) -> str | None:
        """The file with the key."""
        return "/".join(media) if media else None

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Read and average."""
        pairs = [one for one in media if one]
        if not pairs:
            return []
        try:
            mean, deviation = _read_statistics(root / _statistics(pairs[0][0]), self.fold) if self.fold else (0, 1)
            with h5py.File(root / pairs[0][0]) as file:
                return [self._read_one(file, str(pair[1]), mean, deviation) for pair in pairs]
        except (OSError, LookupError, TypeError):
            return [_UNREADABLE] * len(pairs)

    def _read_one(self, file: h5py.File, name: str, mean: Any, deviation: Any) -> Decoded:
        if name not in file:
            return Decoded(None, ("missing_file",))
        try:
            values = _numbers(file, name)
        except (OSError, LookupError, TypeError):
            return _UNREADABLE
        if not values.ndim or values.shape[-1] != self.width or not np.isfinite(values).all():
            return _UNREADABLE
        frames = values.reshape(-1, self.width)
        frames = frames[frames.any(axis=1)]
        pooled = (frames.mean(axis=0) - mean) / deviation if len(frames) else None
        return Decoded(pooled, () if len(frames) else (self.nothing,))


def gcnet_readers() -> dict[str, Reader]:
    """Return how each modality of GCNet's is read."""
    return {name: (FaceReader if name == "visual" else VectorReader)(width) for name, (_, width) in _GCNET.items()}


def gcnet_folders(tree: Tree) -> dict[str, str]:
    """Return modality -> folder of GCNet's files."""
    prefix = "features/" if tree.has_folder("features") else ""
    return {modality: f"{prefix}{folder}" for modality, (folder, _) in _GCNET.items()}


def gcnet_media(name: str, folders: Mapping[str, str], tree: Tree, audit: Audit) -> dict[str, Media]:
    """Return the files of an utterance."""
    media: dict[str, Media] = {modality: f"{folder}/{name}.npy" for modality, folder in folders.items()}
    return {**media, "visual": faces_of(folders["visual"], name, tree, audit)}


def mmin_readers(fold: int) -> dict[str, Reader]:
    """Return how each modality of MMIN's is read in one of its folds."""
    folds = {"audio": str(fold)}
    return {name: SequenceReader(width, none, folds.get(name, "")) for name, (_, width, none) in _MMIN.items()}


def mmin_files(tree: Tree, fold: int) -> dict[str, str]:
    """Return modality -> HDF5 file.

    Raises:
        RawDataError: one is not there, or the means and deviations of the sound in this fold cannot be used.
    """
    base = next((base for base in MMIN if tree.has(f"{base}{_MMIN['audio'][0]}")), "")
    files = {modality: f"{base}{path}" for modality, (path, _, _) in _MMIN.items()}
    statistics = _statistics(files["audio"])
    for path in (*files.values(), statistics):
        if not tree.has(path):
            raise RawDataError(f"features=mmin needs {path} below {tree.root}, which is not there")
    try:
        mean, deviation = _read_statistics(tree.root / statistics, str(fold))
    except (OSError, LookupError, TypeError) as error:
        raise RawDataError(f"{tree.root / statistics} has no mean and std of fold {fold}: {error!r}") from error
    width = (_MMIN["audio"][1],)
    if not (mean.shape == deviation.shape == width and np.isfinite(mean).all() and (deviation > 0).all()):
        raise RawDataError(
            f"{tree.root / statistics}, fold {fold}: mean and std have shapes {mean.shape} and {deviation.shape}; "
            f"expected finite means and positive deviations of shape {width}"
        )
    return files


def _read_statistics(path: Path, fold: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return a fold's means and deviations.

    Raises:
        OSError, LookupError, TypeError: the file is damaged or has no numbers under this fold.
    """
    with h5py.File(path) as file:
        return _numbers(file, f"{fold}/mean"), _numbers(file, f"{fold}/std")


def _statistics(path: str) -> str:
    return f"{path.removesuffix('.h5')}_mean_std.h5"


def _numbers(file: h5py.File, path: str) -> npt.NDArray[np.float32]:
    stored = array_at(file, path)
    if stored.dtype.kind not in "fiu":
        raise TypeError(f"{path} does not hold numbers")
    return np.asarray(stored[()], np.float32)
