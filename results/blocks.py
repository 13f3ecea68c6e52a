"""Parquet files in blocks, their row groups and their footer, so that a few of them are fetched and checked alone."""

import io
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["Block", "blocks", "groups_with", "intact", "read_footer", "read_group"]

_TAIL = 8  # a Parquet file ends with the footer's length and a magic word, four bytes each


class Block(NamedTuple):
    """Where a row group or the footer lies in its file, and its checksum."""

    start: int
    end: int
    crc32: int


def intact(block: Block, data: bytes | memoryview) -> bool:
    """Tell whether these are the bytes that the block was written with."""
    return len(data) == block.end - block.start and zlib.crc32(data) == block.crc32


def blocks(file: IO[bytes]) -> list[Block]:
    """Return a Parquet file's row groups in order, then its footer; together they cover every byte."""
    metadata = pq.read_metadata(file)
    size = file.seek(0, io.SEEK_END)
    file.seek(size - _TAIL)
    footer = size - _TAIL - int.from_bytes(file.read(4), "little")
    starts = [_start(metadata.row_group(place)) for place in range(metadata.num_row_groups)]
    found = []
    for start, end in pairwise([0, *starts[1:], *([footer] if starts else []), size]):
        file.seek(start)
        found.append(Block(start, end, zlib.crc32(file.read(end - start))))
    return found


def _start(group: Any) -> int:
    first = group.column(0)
    return int(first.dictionary_page_offset or first.data_page_offset)


def read_footer(data: bytes) -> Any:
    """Return the metadata of a file of which only the last block is at hand."""
    return pq.read_metadata(io.BytesIO(data))


def read_group(metadata: Any, place: int, block: Block, data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a row group, given its bytes and its file's metadata."""
    window = pa.PythonFile(_Window(data, block.start), mode="r")
    file = pq.ParquetFile(window, metadata=metadata, page_checksum_verification=True)
    return file.read_row_group(place, columns=columns, use_threads=False)


def groups_with(metadata: Any, wanted: Mapping[str, str | None]) -> list[int]:
    """Return the row groups that can hold rows with these values, by their statistics; None: any value."""
    asked = {name: value for name, value in wanted.items() if value is not None}
    found = []
    for place in range(metadata.num_row_groups):
        group = metadata.row_group(place)
        columns = (group.column(number) for number in range(group.num_columns))
        ranges = [
            (asked[column.path_in_schema], column.statistics) for column in columns if column.path_in_schema in asked
        ]
        if all(known is None or known.min <= value <= known.max for value, known in ranges):
            found.append(place)
    return found


class _Window(io.RawIOBase):
    """A file of which only some bytes are at hand."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data, self._start, self._place = data, start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._start + len(self._data)}
        self._place = base[whence] + offset
        return self._place

    def read(self, size: int = -1) -> bytes:
        start = self._place - self._start
        if start < 0:
            raise ValueError(f"byte {self._place} lies before those that were read")
        data = self._data[start:] if size < 0 else self._data[start : start + size]
        self._place += len(data)
        return data
