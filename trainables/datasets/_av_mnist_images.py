"""The weak images of AV-MNIST: a quarter of the energy of a digit, stretched to the whole range of grey."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainables.api_data import InputInfo
from trainables.datasets._av_mnist_idx import PIXELS, read_idx
from trainables.decoding.decoded import Decoded
from trainables.preparing.image_reader import ImageParams, ImageReader
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader
from trainables.preparing.tree import RawDataError, Tree

__all__ = ["Digit", "DigitReader", "Weakening", "closest_count", "fit_weakening"]

Doubles = npt.NDArray[np.float64]

_ENERGY = 0.25
_ROWS = 4096  # at a time, so that fitting 60,000 images takes little memory


class Digit(NamedTuple):
    """Where an image is.

    Attributes:
        file: an idx file, or a npy file of images that are weak already.
        row: its place there.
        fitted_on: the file whose images the components and the range of grey are those of.
        content: what identifies the image.
    """

    file: str
    row: int
    fitted_on: str
    content: str


@dataclass(frozen=True, eq=False)
class Weakening:
    """How images lose what makes them easy.

    Attributes:
        mean: (P,) of the pixels.
        axes: (k, P) principal components that are kept; None leaves images as they are.
        energy: share of the variance that they explain.
        low: smallest value of the images fitted on, which becomes black.
        high: largest, which becomes white.
    """

    mean: Doubles
    axes: Doubles | None
    energy: float = 1.0
    low: float = 0.0
    high: float = 1.0

    def weak(self, images: npt.NDArray[Any], *, add_mean: bool) -> Doubles:
        """Map (N, P) pixels to what the components say of them."""
        if self.axes is None:
            return images.astype(np.float64)
        scores = (images.astype(np.float64) - self.mean) @ self.axes.T
        return scores @ self.axes + (self.mean if add_mean else 0.0)

    def grey(self, images: npt.NDArray[Any], *, add_mean: bool) -> npt.NDArray[np.uint8]:
        """Map (N, P) pixels to 8-bit grey; what is beyond the range fitted on is clipped."""
        share = (self.weak(images, add_mean=add_mean) - self.low) / max(self.high - self.low, 1e-12)
        return np.asarray(np.rint(255 * share.clip(0, 1)), np.uint8)


def closest_count(ratios: Doubles, energy: float = _ENERGY) -> int:
    """Return how many leading components explain the share of the variance that is closest to `energy`.

    MNIST's are 0.097, 0.071, 0.062, 0.054, ...

    >>> closest_count(np.array([0.097, 0.071, 0.062, 0.054]))
    3
    """
    return int(np.argmin(np.abs(np.cumsum(ratios) - energy))) + 1


def fit_weakening(images: npt.NDArray[Any], *, add_mean: bool = False, weak_already: bool = False) -> Weakening:
    """Fit principal components and the range of grey to images (N, P).

    Sums of products of 8-bit pixels are exact in double precision, so the same images give the same components in any
    order and number of threads.
    """
    width = images.shape[1]
    parts = [images[start : start + _ROWS] for start in range(0, len(images), _ROWS)]
    weakening = Weakening(np.zeros(width), None)
    if not weak_already:
        total, products = np.zeros(width), np.zeros((width, width))
        for part in parts:
            values = part.astype(np.float64)
            total += values.sum(axis=0)
            products += values.T @ values
        mean = total / len(images)
        variances, axes = np.linalg.eigh(products / len(images) - np.outer(mean, mean))
        ratios = variances[::-1].clip(0) / max(variances.clip(0).sum(), 1e-12)
        count = closest_count(ratios)
        weakening = Weakening(mean, axes.T[::-1][:count], float(ratios[:count].sum()))
    ranges = [(weak.min(), weak.max()) for weak in (weakening.weak(part, add_mean=add_mean) for part in parts)]
    return replace(weakening, low=float(min(low for low, _ in ranges)), high=float(max(high for _, high in ranges)))


@dataclass(frozen=True)
class DigitReader(Reader):
    """Media are `Digit`s; the three channels of an image are equal, and one of them is stored."""

    params: ImageParams
    add_mean: bool = False

    def info(self) -> InputInfo:
        """Three equal channels of a square."""
        info = ImageReader(self.params).info()
        return replace(info, storage=replace(info.stored, shape=(1, *info.shape[1:])))

    def identity(self, media: Media, tree: Tree) -> Any:
        """What identifies the pixels."""
        del tree
        return Digit(*media).content if media else None

    def where(self, media: Media) -> str | None:
        """The file."""
        return str(media[0]) if media else None

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Weaken, stretch and resize."""
        return [self._read_one(Digit(*digit), root) for digit in media if digit]

    def _read_one(self, digit: Digit, root: Path) -> Decoded:
        try:
            images, weakening = _images(root / digit.file), _fitted(root / digit.fitted_on, self.add_mean)
        except (OSError, ValueError, RawDataError):
            return Decoded(None, ("missing_file",))
        side = round(images.shape[1] ** 0.5)
        grey = weakening.grey(images[digit.row : digit.row + 1], add_mean=self.add_mean).reshape(side, side)
        square = (self.params.image_size, self.params.image_size)
        return Decoded(np.asarray(Image.fromarray(grey).resize(square, Image.Resampling.BILINEAR))[np.newaxis].copy())


def _images(path: Path) -> npt.NDArray[Any]:
    return _read_images(path, path.stat().st_mtime_ns)


def _fitted(path: Path, add_mean: bool) -> Weakening:
    return _fit_file(path, path.stat().st_mtime_ns, add_mean)


@lru_cache(maxsize=4)
def _read_images(path: Path, changed_ns: int) -> npt.NDArray[Any]:
    """Return (N, P) images; a process reads a file once."""
    del changed_ns
    images = np.load(path, mmap_mode="r", allow_pickle=False) if path.suffix == ".npy" else read_idx(path, PIXELS)
    return images.reshape(len(images), -1)


@lru_cache(maxsize=4)
def _fit_file(path: Path, changed_ns: int, add_mean: bool) -> Weakening:
    return fit_weakening(_read_images(path, changed_ns), add_mean=add_mean, weak_already=path.suffix == ".npy")
