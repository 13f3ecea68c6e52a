"""Arrays from .npy files."""

import io
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy

from trainables.decoding.bad_bytes import UNREADABLE, head_issue
from trainables.decoding.decoded import Decoded
from trainables.decoding.pickles import RefusedPickleError, load_restricted

__all__ = ["RefusedPickleError", "decode_npy", "load_restricted"]


def decode_npy(data: bytes) -> Decoded:
    """Decode a .npy file of any shape and dtype except Python objects.

    Issues, all with values None: `zero_bytes`, `html_instead`, `lfs_pointer`, `unreadable_array` (no .npy file, one of
    Python objects, or cut off).

    Returns:
        The array; read-only, it shares the memory of `data`.
    """
    if head := head_issue(data):
        return Decoded(None, (head,))
    try:
        return Decoded(_npy_array(data))
    except UNREADABLE:
        return Decoded(None, ("unreadable_array",))


def _npy_array(data: bytes) -> np.ndarray[Any, Any]:
    file = io.BytesIO(data)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran_order, dtype = readers[npy.read_magic(file)](file)
    if dtype.hasobject:
        raise ValueError("Python objects")
    # frombuffer checks the size against the bytes there are: a header alone allocates nothing
    flat = np.frombuffer(data, dtype=dtype, count=prod(shape), offset=file.tell())
    return flat.reshape(shape, order="F" if fortran_order else "C")
