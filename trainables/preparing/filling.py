"""One chunk of samples from raw files into the room that the cache file has for them; runs in worker processes.

Starting a worker must be quick, so nothing here imports torch, pandas or pyarrow.
"""

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainables.api_data import Storage
from trainables.preparing.manifest import Sample
from trainables.preparing.reader import Reader
from trainables.sample_digests import DIGEST, sample_digests, with_presence

__all__ = ["Chunk", "Filled", "ReadSample", "Room", "Work", "fill", "read_samples", "view"]

Room = Mapping[str, tuple[int, Storage]]
"""column -> (offset of its first byte in the file, what one row is)."""


@dataclass(frozen=True)
class Work:
    """What every chunk of a data set shares.

    Attributes:
        root: folder of the raw files.
        data: the file to fill; None only looks at what is there.
        room: where its columns are.
        readers: modality -> how it is read.
    """

    root: Path
    data: Path | None
    room: Room
    readers: Mapping[str, Reader]


@dataclass(frozen=True)
class Filled:
    """A chunk that is in the file.

    Attributes:
        start: its first row.
        stop: the row behind its last.
        checksum: CRC-32 of the samples' digests.
        issues: (audit code, file or sample id).
        is_new: False if an earlier attempt left it there.
    """

    start: int
    stop: int
    checksum: int
    issues: Sequence[tuple[str, str]]
    is_new: bool = True


@dataclass(frozen=True)
class Chunk:
    """Some samples that follow each other.

    Attributes:
        start: row of the first.
        samples: what they are read from.
        kept: what an earlier attempt that was killed says of them, if it did them.
    """

    start: int
    samples: Sequence[Sample]
    kept: Filled | None = None


def fill(work: Work, chunk: Chunk) -> Filled:
    """Decode the samples and write them to their rows, each as soon as it is decoded, unless they are there.

    Raises:
        OSError: the file cannot be written.
    """
    if chunk.kept is not None and _is_intact(work, chunk.kept):
        return replace(chunk.kept, is_new=False)
    start, samples = chunk.start, chunk.samples
    present = {name: np.zeros(len(samples), np.bool_) for name in work.readers}
    digests = np.zeros(len(samples), np.uint32)
    issues: list[tuple[str, str]] = []
    with _writing(work) as write:
        for one in read_samples(work.readers, samples, work.root):
            present[one.modality][one.row] = one.is_present
            issues += one.issues
            digests[one.row] = zlib.crc32(one.values.data, int(digests[one.row]))
            write(f"input_{one.modality}", start + one.row, one.values)
        digests = with_presence(digests, present)
        for name, has in present.items():
            write(f"present_{name}", start, has)
        write(DIGEST, start, digests)
    nothing = np.flatnonzero(~np.logical_or.reduce(list(present.values())))
    issues += [("nothing_left", samples[int(row)].sample_id) for row in nothing]
    return Filled(start, start + len(samples), zlib.crc32(digests.data), issues)


class ReadSample(NamedTuple):
    """One modality of one sample: the stored values, zeros if there is nothing, and (audit code, where)."""

    modality: str
    row: int
    values: npt.NDArray[Any]
    is_present: bool
    issues: Sequence[tuple[str, str]]


def read_samples(readers: Mapping[str, Reader], samples: Sequence[Sample], root: Path) -> Iterator[ReadSample]:
    """Decode every modality of the samples, modality by modality in alphabetical order, as its reader stores it."""
    for name, reader in sorted(readers.items()):
        stored = reader.info().stored
        nothing = np.zeros(stored.shape, stored.dtype)
        rows = [row for row, sample in enumerate(samples) if sample.media.get(name) is not None]
        for row in sorted(set(range(len(samples))) - set(rows)):
            yield ReadSample(name, row, nothing, is_present=False, issues=())
        media = [samples[row].media[name] for row in rows]
        for row, decoded in zip(rows, reader.read(media, root), strict=True):
            where = reader.where(samples[row].media[name]) or samples[row].sample_id
            issues = [(code, where) for code in decoded.issues]
            if decoded.values is None:
                yield ReadSample(name, row, nothing, is_present=False, issues=issues)
                continue
            values = np.ascontiguousarray(decoded.values, stored.dtype)
            assert values.shape == stored.shape, f"{name}: {values.shape} where {stored.shape} are stored"
            yield ReadSample(name, row, values, is_present=True, issues=issues)


def view(data: Path, room: Room, start: int, stop: int) -> dict[str, npt.NDArray[Any]]:
    """Map these rows of the file's large columns; what is written to the file later shows in them."""
    return {
        name: np.memmap(
            data, storage.dtype, "r", offset + start * storage.bytes_per_sample, (stop - start, *storage.shape)
        )
        for name, (offset, storage) in room.items()
    }


def _is_intact(work: Work, one: Filled) -> bool:
    """Tell whether the rows are what was written."""
    assert work.data is not None, "nothing is kept where nothing is written"
    rows = view(work.data, work.room, one.start, one.stop)
    inputs, present = ({name: rows[f"{kind}_{name}"] for name in work.readers} for kind in ("input", "present"))
    return zlib.crc32(sample_digests(inputs, present, 0, one.stop - one.start).data) == one.checksum


Write = Callable[[str, int, npt.NDArray[Any]], None]


@contextmanager
def _writing(work: Work) -> Iterator[Write]:
    """Give a function that writes values to a column, from a row on; without a file to fill it does nothing."""
    handle = os.open(work.data or os.devnull, os.O_WRONLY)

    def write(column: str, row: int, values: npt.NDArray[Any]) -> None:
        if work.data is None:
            return
        offset, storage = work.room[column]
        place, left = offset + row * storage.bytes_per_sample, values.data.cast("B")
        while left:  # the system may write less than it is given
            written = os.pwrite(handle, left, place)
            place, left = place + written, left[written:]

    try:
        yield write
    finally:
        os.close(handle)
