"""A digest per prepared sample: it proves that the cache is undamaged, and finds samples that are equal."""

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["DIGEST", "DIGEST_BYTES", "checksum_of_the_rest", "sample_digests"]

DIGEST = "digest"
"""Column of the digests in the Arrow file."""
DIGEST_BYTES = 8


def sample_digests(
    inputs: Mapping[str, npt.NDArray[Any]], present: Mapping[str, npt.NDArray[np.bool_]], start: int, stop: int
) -> npt.NDArray[np.uint8]:
    """Return (stop - start, 8): the first bytes of the SHA-1 of each sample's stored inputs and of what is present."""
    names = sorted(inputs)
    rows = []
    for row in range(start, stop):
        digest = hashlib.sha1(bytes(bool(present[name][row]) for name in names), usedforsecurity=False)
        for name in names:
            digest.update(np.ascontiguousarray(inputs[name][row]).data)
        rows.append(digest.digest()[:DIGEST_BYTES])
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, DIGEST_BYTES)


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
