"""A digest per prepared sample: it proves that the cache is undamaged, and finds samples that may be equal."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DIGEST", "sample_digests", "with_presence"]

DIGEST = "digest"
"""Column of the digests in the Arrow file."""


def sample_digests(
    inputs: Mapping[str, npt.NDArray[Any]],
    present: Mapping[str, npt.NDArray[np.bool_]],
    start: int,
    stop: int,
) -> npt.NDArray[np.uint32]:
    """Return (stop - start,): CRC-32 of each sample's stored inputs in alphabetical order, and of what is present.

    A CRC is enough to find damage; samples of one digest are equal only if their inputs are.
    """
    digests = np.zeros(stop - start, np.uint32)
    for row in range(start, stop):
        digest = 0
        for name in sorted(inputs):
            digest = zlib.crc32(np.ascontiguousarray(inputs[name][row]).data, digest)
        digests[row - start] = digest
    return with_presence(digests, {name: has[start:stop] for name, has in present.items()})


def with_presence(
    digests: npt.NDArray[np.uint32], present: Mapping[str, npt.NDArray[np.bool_]]
) -> npt.NDArray[np.uint32]:
    """Return (N,) digests of inputs carried on over which modalities each sample has."""
    has = np.stack([present[name].astype(np.uint8) for name in sorted(present)], axis=1)
    found = [zlib.crc32(row.tobytes(), digest) for row, digest in zip(has, digests.tolist(), strict=True)]
    return np.array(found, np.uint32)
