"""A digest per prepared sample: it proves that the cache is undamaged, and finds samples that may be equal."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["DIGEST", "checksum_of_the_rest", "sample_digests"]

DIGEST = "digest"
"""Column of the digests in the Arrow file."""


def sample_digests(
    inputs: Mapping[str, Sequence[npt.NDArray[Any]] | npt.NDArray[Any]],
    present: Mapping[str, npt.NDArray[np.bool_]],
    start: int,
    stop: int,
) -> npt.NDArray[np.uint32]:
    """Return (stop - start,): CRC-32 of which modalities each sample has, and of all its stored inputs.

    A CRC is enough to find damage; samples of one digest are equal only if their inputs are.
    """
    names = sorted(inputs)
    digests = np.empty(stop - start, np.uint32)
    for row in range(start, stop):
        digest = zlib.crc32(bytes(bool(present[name][row]) for name in names))
        for name in names:
            digest = zlib.crc32(np.ascontiguousarray(inputs[name][row]).data, digest)
        digests[row - start] = digest
    return digests


def checksum_of_the_rest(table: pa.Table) -> int:
    """Return the CRC-32 of every column except the inputs, which the digests are of."""
    checksum = 0
    for name in table.column_names:
        if name.startswith("input_"):
            continue
        for chunk in table.column(name).chunks:
            for buffer in chunk.buffers():
                checksum = checksum if buffer is None else zlib.crc32(buffer, checksum)
    return checksum
