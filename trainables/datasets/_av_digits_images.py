"""Images of the AVDigits data set: the handwritten digits of scikit-learn, weakened to a few principal components."""

import hashlib

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from search_spaces.errors import MmptError

__all__ = ["read_digits", "weaken"]

Doubles = npt.NDArray[np.float64]


def read_digits(expected_sha256: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return (1797, 64) pixels from 0 to 16 and (1797,) class numbers, in the order of their writers.

    Raises:
        MmptError: the installed scikit-learn has other images than the ones that the data set is defined by.
    """
    digits = load_digits()
    pixels, targets = digits.data.astype(np.uint8), digits.target.astype(np.int64)
    found = hashlib.sha256(pixels.tobytes() + targets.astype(np.uint8).tobytes()).hexdigest()
    if found != expected_sha256:
        raise MmptError(
            f"av_digits: scikit-learn's digits have SHA-256 {found}, expected {expected_sha256}; "
            "install a scikit-learn release with the original 1,797 digits"
        )
    return pixels, targets


def weaken(pixels: npt.NDArray[np.uint8], train_count: int, components: int) -> npt.NDArray[np.float32]:
    """Keep what the first principal components of the first `train_count` images explain, (N, 64) to (N, 1, 8, 8).

    The mean image is left out and the result is divided by its standard deviation over the train images.
    """
    scaled = pixels / 16.0
    train = scaled[:train_count]
    centred = scaled - train.mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:train_count], full_matrices=False)
    kept = centred @ axes[:components].T @ axes[:components]
    standardised = kept / kept[:train_count].std()
    return np.asarray(standardised.reshape(-1, 1, 8, 8), dtype=np.float32)
