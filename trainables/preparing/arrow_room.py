"""An Arrow file whose large columns are empty room at first, to be filled in place by several processes."""

import mmap
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainables.api_data import Storage
from trainables.preparing.filling import Room

__all__ = ["Column", "make_room", "measure_room"]


Column = Sequence[str] | npt.NDArray[np.int64]
"""Texts, or numbers (N,) or (N, C)."""


def make_room(path: Path, columns: Mapping[str, Column], large: Mapping[str, Storage], rows: int) -> None:
    """Write an Arrow file of one record batch with the given columns, and zeros for the large ones.

    The zeros take no time to write, since the file is extended over them; the disk's space is claimed all the same.
    Arrow's own conversion of lists and arrays is avoided, because it imports pandas first.

    Raises:
        OSError: the disk is too full.
    """
    largest = max((storage.bytes_per_sample for storage in large.values()), default=1)
    zeros = pa.py_buffer(mmap.mmap(-1, max(rows * largest, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ))
    empty = {name: _zeros(storage, rows, zeros) for name, storage in large.items()}
    small = {name: _numbers(own) if isinstance(own, np.ndarray) else _texts(own) for name, own in columns.items()}
    table = pa.table({**small, **empty})
    with path.open("wb") as file:
        sink = _OverZeros(file, zeros)
        # A column may hold more than 2^31 numbers.
        with pa.ipc.new_file(
            pa.PythonFile(sink), table.schema, options=pa.ipc.IpcWriteOptions(allow_64bit=True)
        ) as out:
            out.write_table(table)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def measure_room(path: Path, large: Mapping[str, Storage]) -> Room:
    """Return where the large columns lie in the file."""
    with pa.memory_map(str(path)) as source:
        whole = source.read_buffer(source.size())
    table = pa.ipc.open_file(pa.BufferReader(whole)).read_all()
    room = {}
    for name, storage in large.items():
        (chunk,) = table.column(name).chunks
        flat = chunk.flatten() if pa.types.is_fixed_size_list(chunk.type) else chunk
        room[name] = (flat.buffers()[1].address - whole.address, storage)
    return room


def _zeros(storage: Storage, rows: int, zeros: pa.Buffer) -> pa.Array:
    return _column(storage.dtype, (rows, *storage.shape), zeros.slice(0, rows * storage.bytes_per_sample))


def _numbers(values: npt.NDArray[np.int64]) -> pa.Array:
    return _column("int64", values.shape, pa.py_buffer(np.ascontiguousarray(values, np.int64)))


def _column(dtype: str, shape: tuple[int, ...], values: pa.Buffer) -> pa.Array:
    """Return one value, or one list of values, per row."""
    flat = pa.Array.from_buffers(pa.from_numpy_dtype(np.dtype(dtype)), int(np.prod(shape)), [None, values])
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(shape[1:]))) if len(shape) > 1 else flat


def _texts(texts: Sequence[str]) -> pa.Array:
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return pa.LargeStringArray.from_buffers(len(encoded), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


class _OverZeros:
    """A file to which writing the zero buffer only moves on."""

    closed = False

    def __init__(self, file: BinaryIO, zeros: pa.Buffer) -> None:
        self._file = file
        self._first, self._behind = zeros.address, zeros.address + zeros.size

    def write(self, data: Any) -> int:
        size = data.size if isinstance(data, pa.Buffer) else len(data)
        if isinstance(data, pa.Buffer) and self._first <= data.address < self._behind:
            self._file.seek(size, os.SEEK_CUR)
        else:
            self._file.write(data)
        return int(size)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The caller closes the file."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False
