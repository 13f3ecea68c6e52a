"""The two parts of AV-MNIST, from MNIST and recordings or from a copy that somebody generated."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainables.api_files import Audit, Media, RawDataError, Tree
from trainables.datasets._av_mnist_idx import LABELS, PIXELS, read_idx
from trainables.datasets._av_mnist_images import Digit
from trainables.datasets._av_mnist_pairs import Bank, read_noises, read_recordings

__all__ = ["SPECTROGRAM_SIDE", "Part", "generated_parts", "mixed_parts"]

SPECTROGRAM_SIDE = 112
_PIXELS = 28 * 28


class Part(NamedTuple):
    """MNIST's training or test images with what is heard.

    Attributes:
        name: `train` or `t10k`.
        labels: digits.
        images: one per label.
        sounds: one per label.
        groups: one per label; what an evaluation should not share with training.
    """

    name: str
    labels: Sequence[str]
    images: Sequence[Media]
    sounds: Sequence[Media]
    groups: Sequence[str]


def mixed_parts(tree: Tree, audit: Audit, *, first_speakers: bool, seed: int, fit_each: bool) -> Iterator[Part]:
    """Yield both parts of the recipe.

    Args:
        tree: has MNIST, the Free Spoken Digit Dataset and ESC-50, in any folders.
        audit: where recordings of noise that cannot be used are recorded.
        first_speakers: only the four of the first release.
        seed: of the order in which recordings are given out.
        fit_each: fit components to each part's own images.

    Raises:
        RawDataError: a file is not there or not what its name says.
    """
    files = _idx_files(tree)
    recordings = read_recordings(tree, first_speakers=first_speakers, seed=seed)
    noises = read_noises(tree, audit, seed)
    for name, speech, noise in zip(("train", "t10k"), recordings, noises, strict=True):
        pixels = files[name, "images"]
        images = read_idx(tree.root / pixels, PIXELS)
        labels = [str(label) for label in read_idx(tree.root / files[name, "labels"], LABELS)]
        _check_count(tree, files[name, "labels"], len(labels), len(images))
        pairs = list(Bank(speech, noise).pairs(labels))
        fitted_on = pixels if fit_each else files["train", "images"]
        yield Part(
            name,
            labels,
            [Digit(pixels, row, fitted_on, hashlib.sha256(image).hexdigest()) for row, image in enumerate(images)],
            pairs,
            [path.rpartition("/")[2] for path, _ in pairs],
        )


def generated_parts(tree: Tree) -> Iterator[Part]:
    """Yield both parts of a copy in MultiBench's layout.

    Raises:
        RawDataError: a file is not there, or its shape is wrong.
    """
    for name, stem in (("train", "train"), ("t10k", "test")):
        image_file = _only(tree, f"image/{stem}_data.npy")
        sound_file = _only(tree, f"audio/{stem}_data.npy")
        label_file = _only(tree, f"{stem}_labels.npy")
        labels = [str(int(label)) for label in _array(tree, label_file, 1).ravel()]
        for path, width in ((image_file, _PIXELS), (sound_file, SPECTROGRAM_SIDE**2)):
            _check_count(tree, path, len(_array(tree, path, width)), len(labels))
        first = image_file.replace(f"{stem}_data", "train_data")
        rows = range(len(labels))
        yield Part(
            name,
            labels,
            [Digit(image_file, row, first, f"{tree.sizes[image_file]}:{row}") for row in rows],
            [(sound_file, row, f"{tree.sizes[sound_file]}:{row}") for row in rows],
            [""] * len(labels),
        )


def _idx_files(tree: Tree) -> dict[tuple[str, str], str]:
    """Return (part, images or labels) -> file; an unpacked one rather than a packed one beside it."""
    found: dict[tuple[str, str], str] = {}
    for part in ("train", "t10k"):
        for what, axes in (("images", 3), ("labels", 1)):
            names = [f"{part}-{what}{mark}idx{axes}-ubyte" for mark in "-."]
            found[part, what] = _only(tree, *names, *(f"{name}.gz" for name in names))
    return found


def _only(tree: Tree, *names: str) -> str:
    """Return the file that ends in one of the names; of several in one folder the first."""
    paths = [path for path in tree.sizes if f"/{path}".endswith(tuple(f"/{name}" for name in names))]
    if len({path.rpartition("/")[0] for path in paths}) == 1:
        return paths[0]
    found = f"found {' and '.join(paths)}" if paths else "there is none"
    other = "; av_mnist.form=generated reads the arrays that are there" if _is_generated(tree) and not paths else ""
    raise RawDataError(f"{tree.root} should have one {' or '.join(names)}; {found}{other}")


def _is_generated(tree: Tree) -> bool:
    return any(f"/{path}".endswith("/image/train_data.npy") for path in tree.sizes)


def _array(tree: Tree, path: str, width: int) -> npt.NDArray[Any]:
    try:
        array = np.load(tree.root / path, mmap_mode="r", allow_pickle=False)
        rows: npt.NDArray[Any] = array.reshape(len(array), width)

    except (OSError, ValueError, TypeError, EOFError) as error:
        raise RawDataError(f"{tree.root / path} is no npy file of {width} numbers a row: {error}") from error
    return rows


def _check_count(tree: Tree, path: str, found: int, expected: int) -> None:
    if found != expected:
        raise RawDataError(
            f"{tree.root / path} has {found} rows, expected {expected} as in the other files of its part"
        )
