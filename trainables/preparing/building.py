"""Preparing a data set of files: decoded chunk by chunk over all cores, going on where a killed attempt ended."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.api_data import Storage
from trainables.preparing.arrow_room import Column, make_room, measure_room
from trainables.preparing.audit import Audit
from trainables.preparing.crew import Crew, start_spares
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.filling import Chunk, Filled, Work, view
from trainables.preparing.journal import Journal
from trainables.preparing.limits import Limits, check_limits
from trainables.preparing.manifest import Manifest, Sample
from trainables.preparing.near_duplicates import near_duplicates
from trainables.preparing.reader import fitted_readers
from trainables.preparing.tree import Tree
from trainables.sample_digests import DIGEST

__all__ = ["AUDIT", "DATA", "BuildOptions", "audit_files", "fill_file", "staging_folder", "start_early"]

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
        max_duplicates: largest share of validation and test samples that equal one of another split; by default the
            data set's own.
        progress: told the number of samples that are done and of all.
    """

    workers: int | None = None
    max_missing: float | None = None
    max_duplicates: float | None = None
    progress: Progress | None = None

    def limits(self, dataset: FileDataset) -> Limits:
        """Return what is given, else the data set's own."""
        return Limits(
            dataset.max_missing if self.max_missing is None else self.max_missing,
            dataset.max_duplicates if self.max_duplicates is None else self.max_duplicates,
        )


def staging_folder(folder: Path) -> Path:
    """Return where a folder of prepared data is until it is complete."""
    return folder.with_name(f".{folder.name}.partial")


def start_early(cache_root: Path, options: BuildOptions) -> None:
    """Start workers at once if an earlier attempt, at whatever, was killed: most likely they are needed.

    So they are ready when the raw folder has been listed and indexed.
    """
    if next(cache_root.glob(staging_folder(cache_root / "*").name), None):
        start_spares(_most_workers(options))


def fill_file(dataset: FileDataset, staging: Path, options: BuildOptions) -> None:
    """Write `data.arrow` and `audit.json` into the staging folder.

    Call it while holding the lock. What is in the folder already is used; if the machine has been restarted since, only
    as far as its checksums are right.

    Raises:
        RawDataError, InvalidDataError: the raw data is not what it should be.
        OSError: the folder cannot be written, for instance because the disk is full.
    """
    with Crew(dataset.readers()) as crew:
        tree = dataset.listing()
        crew.grow(_workers(len(tree.sizes) // _CHUNK, options))
        manifest, audit = dataset.manifest(tree)
        limits = options.limits(dataset)
        check_limits(dataset, manifest, limits, audit)
        readers = fitted_readers(dataset.readers(), manifest.samples)
        large = _large_columns({name: reader.info().stored for name, reader in readers.items()})
        data, rows = staging / DATA, len(manifest.samples)
        journal = Journal(staging / _JOURNAL, manifest.digest, _CHUNK)
        if not journal.goes_on:
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
            make_room(data, _small_columns(dataset, manifest), large, rows)
            journal.begin()
        room = measure_room(data, large)
        done = {one.start: one for one in journal.filled()}
        work, check = Work(tree.root, data, room, readers), not journal.is_certain
        for filled in _fill_rest(crew, work, manifest.samples, dict(done), options, check=check):
            journal.add(filled)
            done[filled.start] = filled
    for filled in done.values():
        audit.extend(filled.issues)
    audit.extend(near_duplicates(manifest.samples, dataset.readers()))
    try:
        check_limits(dataset, manifest, limits, audit, decoded=view(data, room, 0, rows))
    finally:
        (staging / AUDIT).write_text(json.dumps(_audit_record(dataset, tree, manifest, audit), indent=1))
    journal.end()


def audit_files(dataset: FileDataset, options: BuildOptions) -> dict[str, Any]:
    """Read everything and write nothing; return what `audit.json` would hold.

    Raises:
        RawDataError, InvalidDataError: the index is wrong; what a limit would refuse is only recorded.
    """
    with Crew(dataset.readers()) as crew:
        tree = dataset.tree()
        manifest, audit = dataset.manifest(tree)
        audit.extend(near_duplicates(manifest.samples, dataset.readers()))
        work = Work(tree.root, None, {}, fitted_readers(dataset.readers(), manifest.samples))
        for filled in _fill_rest(crew, work, manifest.samples, {}, options, check=False):
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


def _large_columns(stored: Mapping[str, Storage]) -> dict[str, Storage]:
    columns = {f"input_{name}": storage for name, storage in stored.items()}
    columns |= {f"present_{name}": Storage(dtype="uint8", shape=()) for name in stored}
    return {**columns, DIGEST: Storage(dtype="uint32", shape=())}


def _small_columns(dataset: FileDataset, manifest: Manifest) -> dict[str, Column]:
    texts = {name: [getattr(sample, name) for sample in manifest.samples] for name in ("sample_id", "split", "group")}
    return {**texts, "target": dataset.targets(manifest)}


def _fill_rest(
    crew: Crew, work: Work, samples: Sequence[Sample], kept: Mapping[int, Filled], options: BuildOptions, *, check: bool
) -> Iterator[Filled]:
    """Yield the chunks that are not kept as they are finished; with `check`, also the kept ones that are damaged."""
    starts = [start for start in range(0, len(samples), _CHUNK) if check or start not in kept]
    chunks = [Chunk(start, samples[start : start + _CHUNK], kept.get(start)) for start in starts]
    ready = len(samples) - sum(len(chunk.samples) for chunk in chunks)
    crew.grow(_workers(len(chunks), options))
    for filled in crew.fill(work, chunks):
        ready += filled.stop - filled.start
        if filled.is_new:
            if options.progress:
                options.progress(ready, len(samples))
            yield filled


def _workers(chunks: int, options: BuildOptions) -> int:
    """Return how many processes are worth starting."""
    return min(_most_workers(options), max(chunks // _CHUNKS_PER_WORKER, 1))


def _most_workers(options: BuildOptions) -> int:
    return options.workers or len(os.sched_getaffinity(0))
