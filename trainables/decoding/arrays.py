"""Arrays of others: .npy files, and pickles read without running anything that they ask for."""

import io
import pickle
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy

from search_spaces.errors import MmptError
from trainables.decoding.bad_bytes import UNREADABLE, head_issue
from trainables.decoding.decoded import Decoded

__all__ = ["RefusedPickleError", "decode_npy", "load_restricted"]

_ALLOWED = "NumPy arrays, dtypes and scalars, sets and plain containers"


class RefusedPickleError(MmptError):
    """A pickle that is damaged or asks for more than arrays and plain containers."""


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


def load_restricted(data: bytes, *, encoding: Literal["ASCII", "latin1"] = "ASCII") -> Any:
    """Return what a pickle holds, if that is NumPy arrays, dtypes and scalars, sets and plain containers only.

    Everything else that a pickle can name is refused before it is looked up, so that nothing is ever imported or
    called on its behalf.

    Args:
        data: the pickle, of any protocol.
        encoding: of the byte strings in it; `latin1` for arrays that Python 2 wrote.

    Raises:
        RefusedPickleError: it names anything else, or is damaged.
    """
    try:
        return _Restricted(io.BytesIO(data), encoding=encoding).load()
    except (*UNREADABLE, pickle.UnpicklingError) as error:
        raise RefusedPickleError(f"not a pickle that can be read: {error}; allowed are {_ALLOWED}") from error


def _npy_array(data: bytes) -> np.ndarray[Any, Any]:
    file = io.BytesIO(data)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran_order, dtype = readers[npy.read_magic(file)](file)
    if dtype.hasobject:
        raise ValueError("Python objects")
    # frombuffer checks the size against the bytes there are: a header alone allocates nothing
    flat = np.frombuffer(data, dtype=dtype, count=prod(shape), offset=file.tell())
    return flat.reshape(shape, order="F" if fortran_order else "C")


def _latin1_bytes(text: str, codec: str) -> bytes:
    """Stand in for `_codecs.encode`, by which old protocols write bytes."""
    if codec != "latin1":
        raise RefusedPickleError(f"pickle with bytes in {codec!r}; expected latin1")
    return text.encode("latin1")


def _safe_globals() -> dict[tuple[str, str], Any]:
    """Return what may be named, by the names of NumPy 1 and 2 and of Python 2 and 3."""
    array = np.zeros(1)
    named: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _latin1_bytes,
    }
    for core in ("numpy.core", "numpy._core"):
        named[f"{core}.multiarray", "_reconstruct"] = array.__reduce__()[0]
        named[f"{core}.multiarray", "scalar"] = array[0].__reduce__()[0]
        named[f"{core}.numeric", "_frombuffer"] = array.__reduce_ex__(5)[0]
    for builtins in ("builtins", "__builtin__"):
        named[builtins, "set"] = set
        named[builtins, "frozenset"] = frozenset
    return named


_SAFE_GLOBALS = _safe_globals()


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        """Return one of the few harmless names.

        Raises:
            RefusedPickleError: any other name.
        """
        try:
            return _SAFE_GLOBALS[module, name]
        except KeyError:
            raise RefusedPickleError(f"pickle that names {module}.{name}; allowed are {_ALLOWED}") from None
