"""MM-IMDb's own HDF5 file, multimodal_imdb.hdf5: films without their archive of records and posters."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from PIL import Image

from trainables.api_files import ImageReader, RawDataError, Sample, Tree
from trainables.decoding.decoded import Decoded
from trainables.decoding.hdf5 import array_at
from trainables.decoding.pickles import RefusedPickleError, load_restricted
from trainables.preparing.manifest import Media

__all__ = ["HDF5", "VOCABULARY", "PosterReader", "films"]

HDF5, VOCABULARY = "multimodal_imdb.hdf5", "metadata.npy"

_SPLITS = {"train": (0, 15_552), "val": (15_552, 18_160), "test": (18_160, 25_959)}
_NAMES = {"train": "train", "dev": "val", "test": "test"}
_MEANS = (103.939, 116.779, 123.68)  # of blue, green and red: images are stored as VGG wants them


def films(tree: Tree, classes: Sequence[str]) -> Iterator[Sample]:
    """Yield the rows of the file, the words of the longest plot as text; a row of unknown words only has none.

    Raises:
        RawDataError: the file or metadata.npy is not there, damaged, or lacks what it should have.
    """
    words = _vocabulary(tree)
    try:
        with h5py.File(tree.root / HDF5) as file:
            genres = array_at(file, "genres")
            names = json.loads(genres.attrs["target_names"])
            has = np.asarray(genres[()]) != 0
            ids = [str(value, "ascii") for value in array_at(file, "imdb_ids")[()]]
            plots = [[words[int(number)] for number in row] for row in array_at(file, "sequences")[()]]
            splits = _splits(file)
            rows = len(array_at(file, "images"))
    except (OSError, LookupError, ValueError, TypeError) as error:
        raise RawDataError(f"{tree.root / HDF5} cannot be read as MM-IMDb's HDF5 file: {error!r}") from error
    if not len(ids) == len(has) == len(plots) == rows:
        raise RawDataError(f"{tree.root / HDF5} has {len(ids)} ids, {len(has)} labels and {rows} images")
    for split, (first, last) in splits.items():
        for row in range(first, min(last, rows)):
            own = [name for name, is_own in zip(names, has[row], strict=True) if is_own and name in classes]
            media = {"image": (HDF5, row), "text": " ".join(plots[row])}
            yield Sample(ids[row], split, own, media, ids[row])


def _splits(file: h5py.File) -> Mapping[str, tuple[int, int]]:
    """Return split -> rows, as the file says, else the official ones."""
    if "split" not in file.attrs:
        return _SPLITS
    told = {str(entry["split"], "ascii"): (int(entry["start"]), int(entry["stop"])) for entry in file.attrs["split"]}
    return {_NAMES[name]: rows for name, rows in told.items()}


def _vocabulary(tree: Tree) -> Mapping[int, str]:
    """Return the words by the numbers that the HDF5 file gives them."""
    data = tree.read(VOCABULARY)
    try:
        file = io.BytesIO(data)
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        words: Mapping[int, str] = load_restricted(file.read(), encoding="latin1").item()["ix_to_word"]
        return {int(number): str(word) for number, word in words.items()}
    except (RefusedPickleError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise RawDataError(f"{tree.root / VOCABULARY} is not the vocabulary of {HDF5}: {error!r}") from error


class PosterReader(ImageReader):
    """Media are paths of image files, or pairs of the HDF5 file and a row."""

    def identity(self, media: Media, tree: Tree) -> Any:
        """The file's size, and the row in it."""
        if isinstance(media, str) or media is None:
            return super().identity(media, tree)
        return [tree.sizes[media[0]], media[1]]

    def where(self, media: Media) -> str | None:
        """The image file; rows are named by their sample."""
        return media if isinstance(media, str) else None

    def read(self, media: Sequence[Media], root: Path) -> Iterable[Decoded]:
        """Decode and resize."""
        if all(isinstance(one, str) for one in media):
            return super().read(media, root)
        with h5py.File(root / HDF5) as file:
            images = array_at(file, "images")
            return [Decoded(self._poster(images[int(one[1])])) for one in media if one is not None]

    def _poster(self, stored: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
        size = (self.params.image_size, self.params.image_size)
        small = Image.fromarray(_pixels(stored)).resize(size, Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))


def _pixels(stored: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Return RGB (H, W, 3) of stored (3, H, W), which are blue, green, red minus their means, cut towards zero.

    Exact but for values just below a mean, which the cutting made equal to those just above.
    """
    means = np.array(_MEANS)[:, None, None]
    pixels = stored + np.where(stored < 0, np.floor(means), np.ceil(means))
    return np.ascontiguousarray(pixels[::-1].transpose(1, 2, 0).clip(0, 255).astype(np.uint8))
