import builtins
import io
import os
import pickle
import struct
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.decoding.arrays import RefusedPickleError, decode_npy, load_restricted


def npy(values: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
        np.float64(3),
        np.zeros((0, 5), dtype=np.int8),
        np.array(["a", "bc"]),
        np.zeros(3, dtype=[("a", "<i4"), ("b", "<f8")]),
    ],
    ids=["plain", "fortran", "scalar", "empty", "strings", "fields"],
)
def test_arrays_of_any_shape_are_read(values: npt.NDArray[Any]) -> None:
    decoded = decode_npy(npy(np.asarray(values)))
    assert decoded.issues == ()
    assert decoded.values is not None
    assert decoded.values.dtype == values.dtype
    np.testing.assert_array_equal(decoded.values, values)


def huge() -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + bytes(64)


def zipped() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "zero_bytes"),
        (b"<html>", "html_instead"),
        (b"version https://git-lfs.github.com/spec/v1\n", "lfs_pointer"),
        (b"text", "unreadable_array"),
        (npy(np.zeros(9))[:-1], "unreadable_array"),
        (npy(np.array([{}, None], dtype=object)), "unreadable_array"),
        (huge(), "unreadable_array"),
        (zipped(), "unreadable_array"),
    ],
)
def test_what_is_no_array_is_missing(data: bytes, code: str) -> None:
    decoded = decode_npy(data)
    assert decoded.values is None
    assert decoded.issues == (code,)


@given(st.sampled_from([b"", b"\x93NUMPY\x01\x00", npy(np.zeros(2))[:40]]), st.binary())
def test_random_bytes_never_raise(head: bytes, tail: bytes) -> None:
    decoded = decode_npy(head + tail)
    assert decoded.values is not None or decoded.issues


def content() -> list[Any]:
    return [
        {"Ses01": ["a", "b"], "bytes": b"\x80\xff", "pair": (1, 2.5, None, True)},
        {"Ses01", "Ses02"},
        frozenset({1}),
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.float64(0.5),
        np.array(["x", None], dtype=object),
    ]


def as_if_by(data: bytes, old: bytes, new: bytes) -> bytes:
    """Rename a module in a pickle of protocol 2, where names stand as plain lines."""
    assert old in data
    return data.replace(b"c" + old, b"c" + new)


def check_same(found: list[Any]) -> None:
    expected = content()
    assert found[:3] == expected[:3]
    for one, other in zip(found[3:], expected[3:], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_are_read(protocol: int) -> None:
    check_same(load_restricted(pickle.dumps(content(), protocol=protocol)))


def test_both_names_of_numpy_and_of_builtins_are_read() -> None:
    data = pickle.dumps(content(), protocol=2)
    assert b"cnumpy._core.multiarray" in data
    check_same(load_restricted(as_if_by(data, b"numpy._core.", b"numpy.core.")))
    old, new = (b"__builtin__", b"builtins") if b"c__builtin__" in data else (b"builtins", b"__builtin__")
    check_same(load_restricted(as_if_by(data, old, new)))


def test_bytes_of_python_2_need_latin_1() -> None:
    data = b"\x80\x02U\x04caf\xe9."
    assert load_restricted(data, encoding="latin1") == "café"
    with pytest.raises(RefusedPickleError, match="not a pickle that can be read"):
        load_restricted(data)


class Harmful:
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_does_nothing(protocol: int, tmp_path: Path) -> None:
    target = tmp_path / "made"
    for function, name in ((os.mkdir, f"{os.name}.mkdir"), (builtins.eval, "eval"), (np.save, "save")):
        arguments = (f"__import__('os').mkdir({str(target)!r})",) if function is builtins.eval else (str(target), 1)
        with pytest.raises(RefusedPickleError, match=name):
            load_restricted(pickle.dumps([1, Harmful(function, *arguments)], protocol=protocol))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [OrderedDict(a=1), defaultdict(list), Path("x"), np.random.default_rng, slice(1)])
def test_everything_else_is_refused_by_name(value: Any) -> None:
    with pytest.raises(RefusedPickleError, match=r"pickle that names \S+; allowed are NumPy arrays"):
        load_restricted(pickle.dumps(value))


def forged(*calls: tuple[bytes, Any]) -> bytes:
    """Write a pickle of opcodes and values by hand."""
    return b"\x80\x02" + b"".join(
        opcode + (pickle.dumps(value, protocol=2)[2:-1] if value is not None else b"") for opcode, value in calls
    )


OBJECTS = (b"cnumpy\ndtype\n", ("O8", False, False)), (b"R", None)
POINTERS = b"A" * 16
FORGED = {
    "array from a buffer": forged((b"cnumpy\nndarray\n(", (2,)), *OBJECTS, (b"", POINTERS), (b"tR.", None)),
    "objects without the flag": forged(*OBJECTS, (b"", (3, "|", None, None, None, -1, -1, 0)), (b"b.", None)),
    "fields without the flag": forged(
        (b"cnumpy\ndtype\n", ("V8",)),
        (b"R(K\x03X\x01\0\0\0|N", ("a",)),
        (b"}", "a"),
        *OBJECTS,
        (b"K\x00\x86s", 8),
        (b"", 1),
        (b"", 0),
        (b"tb.", None),
    ),
    "attributes of a function": forged((b"c_codecs\nencode\n", {"a": 1}), (b"b.", None)),
    "defaults of a function": forged((b"c_codecs\nencode\n", (None, {"__defaults__": ("zip",)})), (b"b.", None)),
    "fields": pickle.dumps(np.zeros(2, dtype=[("a", "O")])),
    "a dtype of several": forged((b"cnumpy\ndtype\n", ("O,O",)), (b"R.", None)),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_states_are_refused(name: str) -> None:
    with pytest.raises(RefusedPickleError, match="allowed are NumPy arrays"):
        load_restricted(FORGED[name])
    assert np.dtype("O").hasobject


@pytest.mark.parametrize("dtype", [">f4", "<i2", "U3", ">U3", "S2", "?", "c16", "V4"])
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_every_plain_dtype_is_read(dtype: str, protocol: int) -> None:
    values = np.zeros((2, 3), dtype=dtype)
    values[0] = np.array([b"1"] * 3, dtype="V4") if dtype == "V4" else 1
    data = pickle.dumps([values, values[0, 0], values.T], protocol=protocol)
    for one, other in zip(load_restricted(data), pickle.loads(data), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_old_bytes_may_be_latin_1_only() -> None:
    with pytest.raises(RefusedPickleError, match="'zip'"):
        load_restricted(b"c_codecs\nencode\n(Vabc\nVzip\ntR.")


PLAIN = {type(None), bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset}


@given(st.binary())
def test_random_pickles_are_refused_or_read(data: bytes) -> None:
    with suppress(RefusedPickleError):
        assert type(load_restricted(data)) in PLAIN
