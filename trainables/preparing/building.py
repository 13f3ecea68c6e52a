"""Preparing a data set of files: decoded chunk by chunk over all cores, going on where a killed attempt ended."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed

from trainables.api_data import Storage
from trainables.preparing.arrow_room import Room, make_room, measure_room
from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.filling import Filled, Work, fill, is_intact
from trainables.preparing.journal import Journal
from trainables.preparing.limits import check_limits
from trainables.preparing.manifest import Manifest, Sample
from trainables.preparing.reader import Reader
from trainables.preparing.tree import Tree
from trainables.sample_digests import DIGEST

__all__ = ["AUDIT", "DATA", "BuildOptions", "audit_files", "fill_file"]

DATA = "data.arrow"
AUDIT = "audit.json"
_JOURNAL = "journal.jsonl"
_CHUNK = 32  # samples: few enough that a kill loses little, enough that sending them costs nothing
_CHUNKS_PER_WORKER = 16  # starting a process takes as long as reading a few hundred samples

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How a data set of files is prepared; no part of what comes out.

    Attributes:
        workers: processes; by default one per core that this process may use.
        max_missing: largest share of unusable files per modality; by default the data set's own.
        progress: told the number of samples that are done and of all.
    """

    workers: int | None = None
    max_missing: float | None = None
    progress: Progress | None = None


def fill_file(dataset: FileDataset, staging: Path, options: BuildOptions) -> None:
    """Write `data.arrow` and `audit.json` into the staging folder.

    Call it while holding the lock. What is in the folder already is used if its checksums are right.

    Raises:
        RawDataError, InvalidDataError: the raw data is not what it should be.
        OSError: the folder cannot be written, for instance because the disk is full.
    """
    tree = dataset.tree()
    manifest, audit = dataset.manifest(tree)
    limits = (dataset, manifest, dataset.max_missing if options.max_missing is None else options.max_missing)
    check_limits(*limits, audit)
    readers = _fitted_readers(dataset, manifest)
    large = _large_columns({name: reader.info().stored for name, reader in readers.items()})
    data = staging / DATA
    journal = Journal(staging / _JOURNAL, manifest.digest(), _CHUNK)
    if not journal.goes_on:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        make_room(data, _small_columns(dataset, manifest), large, len(manifest.samples))
        journal.begin()
    room = measure_room(data, large)
    work = Work(tree.root, data, room, readers)
    columns = _columns(data, room, len(manifest.samples))
    inputs, present = ({name: columns[f"{kind}_{name}"] for name in readers} for kind in ("input", "present"))
    done = {one.start: one for one in journal.filled() if is_intact(inputs, present, one)}
    for filled in _fill_rest(work, manifest.samples, done, options):
        journal.add(filled)
        done[filled.start] = filled
    for filled in done.values():
        audit.extend(filled.issues)
    try:
        check_limits(*limits, audit, decoded=columns)
    finally:
        (staging / AUDIT).write_text(json.dumps(_audit_record(dataset, tree, manifest, audit), indent=1))
    journal.end()


def audit_files(dataset: FileDataset, options: BuildOptions) -> dict[str, Any]:
    """Read everything and write nothing; return what `audit.json` would hold.

    Raises:
        RawDataError, InvalidDataError: the index is wrong; what a limit would refuse is only recorded.
    """
    tree = dataset.tree()
    manifest, audit = dataset.manifest(tree)
    work = Work(tree.root, None, {}, _fitted_readers(dataset, manifest))
    for filled in _fill_rest(work, manifest.samples, {}, options):
        audit.extend(filled.issues)
    return _audit_record(dataset, tree, manifest, audit)


def _audit_record(dataset: FileDataset, tree: Tree, manifest: Manifest, audit: Audit) -> dict[str, Any]:
    """Return what people want to know of the raw data: sizes by split, found and official, and every finding."""
    return {
        "dataset": dataset.key(),
        "root": str(tree.root),
        "samples": {split: list(sizes) for split, sizes in dataset.sizes(manifest).items()},
        "findings": audit.to_json(),
    }


def _fitted_readers(dataset: FileDataset, manifest: Manifest) -> dict[str, Reader]:
    train = [sample for sample in manifest.samples if sample.split == "train"]
    readers = dataset.readers()
    return {name: reader.fitted(sample.media.get(name) for sample in train) for name, reader in readers.items()}


def _large_columns(stored: Mapping[str, Storage]) -> dict[str, Storage]:
    columns = {f"input_{name}": storage for name, storage in stored.items()}
    columns |= {f"present_{name}": Storage(dtype="uint8", shape=()) for name in stored}
    return {**columns, DIGEST: Storage(dtype="uint32", shape=())}


def _small_columns(dataset: FileDataset, manifest: Manifest) -> dict[str, pa.Array]:
    targets = dataset.targets(manifest)
    flat = pa.array(targets.reshape(-1))
    columns = {
        name: pa.array([getattr(sample, name) for sample in manifest.samples], pa.large_string())
        for name in ("sample_id", "split", "group")
    }
    width = targets.shape[1] if targets.ndim > 1 else 0
    return {**columns, "target": pa.FixedSizeListArray.from_arrays(flat, width) if width else flat}


def _fill_rest(
    work: Work, samples: Sequence[Sample], done: Mapping[int, Filled], options: BuildOptions
) -> Iterator[Filled]:
    """Yield the chunks that are not done yet as they are finished."""
    starts = [start for start in range(0, len(samples), _CHUNK) if start not in done]
    ready = sum(filled.stop - filled.start for filled in done.values())
    workers = min(options.workers or len(os.sched_getaffinity(0)), max(len(starts) // _CHUNKS_PER_WORKER, 1))
    for filled in _in_parallel(work, samples, starts, workers):
        ready += filled.stop - filled.start
        if options.progress:
            options.progress(ready, len(samples))
        yield filled


def _in_parallel(work: Work, samples: Sequence[Sample], starts: list[int], workers: int) -> Iterable[Filled]:
    chunks = ((work, start, samples[start : start + _CHUNK]) for start in starts)
    if workers == 1:
        return (fill(*chunk) for chunk in chunks)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # the processes are the parallelism
    pool = Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch="16*n_jobs", batch_size=1)
    filled: Iterable[Filled] = pool(delayed(fill)(*chunk) for chunk in chunks)
    return filled


def _columns(data: Path, room: Room, rows: int) -> dict[str, Any]:
    """Map the large columns; what is written to the file later shows in them."""
    return {
        name: np.memmap(data, storage.dtype, "r", offset, (rows, *storage.shape))
        for name, (offset, storage) in room.items()
    }
