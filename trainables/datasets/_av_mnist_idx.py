"""MNIST's idx files, plain or gzipped, and which of the accepted names is there."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.preparing.tree import RawDataError

__all__ = ["LABELS", "PIXELS", "read_idx"]

LABELS, PIXELS = 2049, 2051
"""Magic numbers of files of labels and of images."""
_AXES = {LABELS: 1, PIXELS: 3}
_LARGEST_BYTES = 1 << 30
_GZIP = b"\x1f\x8b"


def read_idx(path: Path, magic: int) -> npt.NDArray[np.uint8]:
    """Return the labels (N,) or images (N, rows, columns) of an idx file, whatever its suffix says.

    Raises:
        RawDataError: it is something else, cut off, or cannot be unpacked; the message names the file.
    """
    try:
        with path.open("rb") as plain:
            packed = plain.read(len(_GZIP)) == _GZIP
            plain.seek(0)
            with gzip.GzipFile(fileobj=plain) if packed else plain as file:
                return _numbers(file, magic)
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        raise RawDataError(f"{path} is no idx file of {'labels' if magic == LABELS else 'images'}: {error}") from error


def _numbers(file: Any, magic: int) -> npt.NDArray[np.uint8]:
    found = struct.unpack(">I", file.read(4))[0]
    if found != magic:
        raise ValueError(f"its magic number is {found}, expected {magic}")
    shape = struct.unpack(f">{_AXES[magic]}I", file.read(4 * _AXES[magic]))
    expected = int(np.prod(shape, dtype=object))
    if expected > _LARGEST_BYTES:
        raise ValueError(f"its header asks for {expected} bytes")
    content = file.read(expected)
    if len(content) != expected:
        raise ValueError(f"{len(content)} bytes of {expected} are there")
    return np.frombuffer(content, np.uint8).reshape(shape)
