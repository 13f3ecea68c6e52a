"""One chunk of samples from raw files into the room that the cache file has for them; runs in worker processes."""

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from trainables.preparing.arrow_room import Room
from trainables.preparing.manifest import Sample
from trainables.preparing.reader import Reader
from trainables.sample_digests import DIGEST, sample_digests

__all__ = ["Filled", "ReadSamples", "Work", "fill", "is_intact", "read_samples"]


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
    """

    start: int
    stop: int
    checksum: int
    issues: Sequence[tuple[str, str]]


class ReadSamples(NamedTuple):
    """Decoded samples: modality -> N arrays (*stored shape), modality -> (N,) what is there, (audit code, where)."""

    inputs: dict[str, list[npt.NDArray[Any]]]
    present: dict[str, npt.NDArray[np.bool_]]
    issues: list[tuple[str, str]]


def fill(work: Work, start: int, samples: Sequence[Sample]) -> Filled:
    """Decode the samples and write them to the rows from `start` on.

    Raises:
        OSError: the file cannot be written.
    """
    read = read_samples(work.readers, samples, work.root)
    nothing = np.flatnonzero(~np.logical_or.reduce(list(read.present.values())))
    issues = [*read.issues, *(("nothing_left", samples[int(row)].sample_id) for row in nothing)]
    if work.data is None:
        return Filled(start, start + len(samples), 0, issues)
    digests = sample_digests(read.inputs, read.present, 0, len(samples))
    columns = {f"input_{name}": values for name, values in read.inputs.items()}
    columns |= {f"present_{name}": [has] for name, has in read.present.items()}
    _write(work.data, work.room, start, {**columns, DIGEST: [digests]})
    return Filled(start, start + len(samples), zlib.crc32(digests.data), issues)


def read_samples(readers: Mapping[str, Reader], samples: Sequence[Sample], root: Path) -> ReadSamples:
    """Decode every modality of the samples, each as its reader stores it; zeros where there is nothing."""
    inputs: dict[str, list[npt.NDArray[Any]]] = {}
    present: dict[str, npt.NDArray[np.bool_]] = {}
    issues: list[tuple[str, str]] = []
    for name, reader in readers.items():
        stored = reader.info().stored
        inputs[name] = [np.zeros(stored.shape, stored.dtype)] * len(samples)
        present[name] = np.zeros(len(samples), np.bool_)
        rows = [row for row, sample in enumerate(samples) if sample.media.get(name) is not None]
        media = [samples[row].media[name] for row in rows]
        for row, decoded in zip(rows, reader.read(media, root), strict=True):
            where = reader.where(samples[row].media[name]) or samples[row].sample_id
            issues += [(code, where) for code in decoded.issues]
            if decoded.values is not None:
                present[name][row] = True
                inputs[name][row] = np.ascontiguousarray(decoded.values, stored.dtype)
                assert inputs[name][row].shape == stored.shape, f"{name}: {decoded.values.shape} for {stored.shape}"
    return ReadSamples(inputs, present, issues)


def is_intact(
    inputs: Mapping[str, npt.NDArray[Any]], present: Mapping[str, npt.NDArray[np.bool_]], one: Filled
) -> bool:
    """Tell whether the rows of a chunk are what was written; the arrays are views of the whole file."""
    return zlib.crc32(sample_digests(inputs, present, one.start, one.stop).data) == one.checksum


def _write(data: Path, room: Room, start: int, columns: Mapping[str, Sequence[npt.NDArray[Any]]]) -> None:
    handle = os.open(data, os.O_WRONLY)
    try:
        for name, parts in columns.items():
            offset, storage = room[name]
            _write_all(handle, [part.data.cast("B") for part in parts], offset + start * storage.bytes_per_sample)
    finally:
        os.close(handle)


def _write_all(handle: int, parts: list[memoryview], place: int) -> None:
    """Write the parts one after the other without joining them first; the system may write less than it is given."""
    while parts:
        written = os.pwritev(handle, parts, place)
        place += written
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][written:]
