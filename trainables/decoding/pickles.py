"""Pickles of others, read without running anything that they ask for."""

import io
import pickle
import re
from typing import Any, ClassVar, Literal

import numpy as np

from search_spaces.errors import MmptError
from trainables.decoding.bad_bytes import UNREADABLE

__all__ = ["RefusedPickleError", "load_restricted"]

_ALLOWED = "NumPy arrays, plain dtypes and scalars, sets and plain containers"
_PLAIN_DTYPE = re.compile(r"[?biufcSUVO]\d*")


class RefusedPickleError(MmptError):
    """A pickle that is damaged or asks for more than arrays and plain containers."""


def load_restricted(data: bytes, *, encoding: Literal["ASCII", "latin1"] = "ASCII") -> Any:
    """Return what a pickle holds, if that is NumPy arrays, plain dtypes and scalars, sets and plain containers only.

    Everything else that a pickle can name is refused before it is looked up, so that nothing is ever imported or
    called on its behalf. Arrays and dtypes are restored under checks: NumPy's own way would let a pickle pass raw bytes
    off as pointers to objects. Dtypes with fields and dates are refused.

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


def _empty_array(_kind: object, _shape: object, _dtype: object) -> np.ndarray[Any, Any]:
    """Stand in for `_reconstruct`; the state that follows brings shape, dtype and content, and NumPy checks them."""
    return np.empty(0, dtype=np.int8)


def _own_dtype(name: str, _align: object = False, _copy: object = False) -> np.dtype[Any]:
    """Stand in for `numpy.dtype`: a copy, so that no state can change the dtype that all arrays share."""
    if not isinstance(name, str) or not _PLAIN_DTYPE.fullmatch(name):
        raise RefusedPickleError(f"pickle with the dtype {name!r}; allowed are {_ALLOWED}")
    return np.dtype(name, copy=True)


def _latin1_bytes(text: str, codec: str) -> bytes:
    """Stand in for `_codecs.encode`, by which old protocols write bytes."""
    if codec != "latin1":
        raise RefusedPickleError(f"pickle with bytes in {codec!r}; expected latin1")
    return text.encode("latin1")


def _safe_globals() -> dict[tuple[str, str], Any]:
    """Return what may be named, by the names of NumPy 1 and 2 and of Python 2 and 3."""
    named: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): "a mere mark: its constructor takes raw bytes for objects",
        ("numpy", "dtype"): _own_dtype,
        ("_codecs", "encode"): _latin1_bytes,
    }
    array = np.zeros(1)
    for core in ("numpy.core", "numpy._core"):
        named[f"{core}.multiarray", "_reconstruct"] = _empty_array
        named[f"{core}.multiarray", "scalar"] = array[0].__reduce__()[0]
        named[f"{core}.numeric", "_frombuffer"] = array.__reduce_ex__(5)[0]
    for builtins in ("builtins", "__builtin__"):
        named[builtins, "set"] = set
        named[builtins, "frozenset"] = frozenset
    return named


_SAFE_GLOBALS = _safe_globals()


def _is_safe_state(target: object, state: Any) -> bool:
    """Return whether a pickle may set this state: any of an array, of a dtype the byte order alone.

    A dtype's state is (version, byte order, subarray, names, fields, item size, alignment, flags).
    """
    if isinstance(target, np.ndarray):
        return True
    if not isinstance(target, np.dtype) or not isinstance(state, tuple):
        return False
    sizes = ((-1, -1), (target.itemsize, target.alignment))
    return any(state == (3, order, None, None, None, *size, target.flags) for order in "<>|=" for size in sizes)


class _Restricted(pickle._Unpickler):  # noqa: SLF001 (the one in C lets nobody check what a state is set on)
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)  # noqa: SLF001
    stack: list[Any]

    def find_class(self, module: str, name: str, /) -> Any:
        """Return one of the few harmless names.

        Raises:
            RefusedPickleError: any other name.
        """
        try:
            return _SAFE_GLOBALS[module, name]
        except KeyError:
            raise RefusedPickleError(f"pickle that names {module}.{name}; allowed are {_ALLOWED}") from None

    def load_build(self) -> None:
        """Set the state of an array or a plain dtype.

        Raises:
            RefusedPickleError: the state of anything else, or one that changes what a dtype is.
        """
        target, state = self.stack[-2:]
        if not _is_safe_state(target, state):
            raise RefusedPickleError(f"pickle with a state of a {type(target).__name__}; allowed are {_ALLOWED}")
        self.stack.pop()
        target.__setstate__(state)

    dispatch[pickle.BUILD[0]] = load_build
