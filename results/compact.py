"""Compaction: folds trials' folders into few big files, so that a hundred thousand trials are read in seconds.

`compacted/<part>/` holds up to some thousand trials, immutable: `trials.parquet`, `scores.parquet`, `facts.parquet`,
`history.parquet`, `logits-<classes>-<number>.parquet` (a row group per trial) and `DONE`; columns are in
`results.part_files`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import pyarrow as pa

from results.part_files import COMPACTED, PART_DONE, PART_HISTORY_SCHEMA, PART_SCORES_SCHEMA, PART_TRIALS_SCHEMA
from results.part_writer import PartWriter, with_id
from results.schema import read_parquet
from results.scores import metric_versions, scores_table
from results.store import Store
from results.trial_folders import DONE, HISTORY, LOGITS, SCORES, SPEC, TRIALS, record_of
from results.trial_rows import trial_row
from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["MOST_TRIALS", "Compaction", "compact"]

MOST_TRIALS = 4000
"""Trials in a part."""


@dataclass(frozen=True)
class Compaction:
    """What a compaction has done.

    Attributes:
        parts: names of the parts it has written.
        trials: how many trials they hold.
        removed: how many folders it has removed, also those of trials compacted before.
        left_alone: trials whose folders stay as they are: id -> why.
    """

    parts: tuple[str, ...]
    trials: int
    removed: int
    left_alone: Mapping[str, str]


def compact(store: Store, *, keep_folders: bool = False, most_trials: int = MOST_TRIALS) -> Compaction:
    """Fold the trials that lie in folders into parts; damaged ones are left alone.

    A folder is removed only after a part that holds its very content is there: a compaction can be killed at any
    moment, repeated, and done twice at once. A trial whose data set is not in the store is left alone, since it cannot
    be scored.

    Args:
        store: may be written to meanwhile.
        keep_folders: do not remove anything; readers then take the folders.
        most_trials: in a part.
    """
    if most_trials < 1:
        raise InvalidValueError("trials in a part", most_trials, "at least 1")
    work = _Work(store, keep_folders)
    waiting = iter(work.waiting())
    while batch := list(islice(waiting, most_trials)):
        work.write_part(batch)
    return work.result()


class _Work:
    """One compaction."""

    def __init__(self, store: Store, keep_folders: bool) -> None:
        self._store = store
        self._keep_folders = keep_folders
        self._samples = lru_cache(maxsize=None)(store.read_samples)
        self._parts: list[str] = []
        self._trials = 0
        self._removed = 0
        self._left_alone: dict[str, str] = {}

    def waiting(self) -> Iterator[str]:
        """Ids of the folders to take, sorted; of those that a part holds already the folders are removed."""
        folders = self._store.folder_ids()
        done = self._already_there(set(folders))
        for trial_id in folders:
            mark = self._mark(trial_id)
            if mark is None and trial_id in done:
                self._remove_rest(trial_id)
            elif mark is not None and mark == done.get(trial_id):
                self._remove(trial_id, mark)
            else:
                yield trial_id

    def _already_there(self, folders: set[str]) -> dict[str, str]:
        """Return trial id -> mark of the folder it came from, of whole compacted trials that have a folder as well."""
        found: dict[str, str] = {}
        for part in reversed(self._store.parts()):
            if folders.isdisjoint(part.trial_ids):
                continue
            damaged = part.damaged()
            if folders.intersection(part.trial_ids) - damaged.keys():
                found |= {key: mark for key, mark in part.origins().items() if key not in damaged}
        return found

    def _mark(self, trial_id: str) -> str | None:
        """Return what tells one content of a folder from another."""
        try:
            return hashlib.sha256(self._store.files.read(TRIALS, trial_id, DONE)).hexdigest()
        except OSError:
            return None

    def write_part(self, trial_ids: list[str]) -> None:
        """Write the trials of some folders as a part, then remove their folders."""
        marks: dict[str, str] = {}
        files = self._store.files
        with files.staging(COMPACTED) as folder, PartWriter(folder) as writer:
            for trial_id in trial_ids:
                mark = self._mark(trial_id)
                try:
                    self._add(writer, trial_id, str(mark))
                except (MmptError, pa.ArrowException) as error:
                    self._left_alone[trial_id] = str(error)
                else:
                    marks[trial_id] = str(mark)
            if not marks:
                return
            name = writer.finish(self._order(marks))
            if not files.exists(COMPACTED, name, PART_DONE):
                files.publish_staged(folder, (COMPACTED, name), last=PART_DONE)
        self._parts.append(name)
        self._trials += len(marks)
        for trial_id, mark in marks.items():
            self._remove(trial_id, mark)

    def _order(self, marks: Mapping[str, str]) -> int:
        older = [part.order for part in self._store.parts() if not marks.keys().isdisjoint(part.trial_ids)]
        return max(older, default=-1) + 1

    def _add(self, writer: PartWriter, trial_id: str, mark: str) -> None:
        content = self._store.read_folder(trial_id)
        record = record_of(trial_id, content)
        scores = _stored_scores(content)
        if scores is None:
            scores = scores_table(record, self._samples(record.facts["fingerprint"]))
        scores = with_id(trial_id, scores, PART_SCORES_SCHEMA)
        history, logits = (read_parquet(content[name], f"trial {trial_id}")[0] for name in (HISTORY, LOGITS))
        history = with_id(trial_id, history, PART_HISTORY_SCHEMA)
        name, place = writer.add_logits(trial_id, logits)
        row: dict[str, Any] = {
            **trial_row(trial_id, record.spec, record.facts),
            "header": content[SPEC].decode(),
            "logits": name,
            "row_group": place,
            "origin": mark,
        }
        writer.add(pa.Table.from_pylist([row], schema=PART_TRIALS_SCHEMA), scores, history)

    def _remove(self, trial_id: str, mark: str) -> None:
        """Remove a folder, unless it has other content by now."""
        if self._keep_folders or self._mark(trial_id) != mark:
            return
        with suppress(FileNotFoundError):  # another compaction is at it
            self._store.remove_folder(trial_id)
            self._removed += 1

    def _remove_rest(self, trial_id: str) -> None:
        """Remove what an interrupted removal has left, where it cannot be a folder that is being written."""
        if self._store.files.is_local and not self._keep_folders:
            self._store.remove_folder(trial_id)
            self._removed += 1

    def result(self) -> Compaction:
        """Return what has been done; folders that another compaction has taken meanwhile are no damage."""
        compacted = self._store.compacted_ids()
        gone = self._left_alone.keys() & compacted - set(self._store.folder_ids())
        left_alone = {key: why for key, why in self._left_alone.items() if key not in gone}
        return Compaction(tuple(self._parts), self._trials, self._removed, left_alone)


def _stored_scores(content: Mapping[str, bytes]) -> pa.Table | None:
    """Return the scores that lie in a folder, None if they are of other metrics than today's."""
    if SCORES not in content:
        return None
    table, about = read_parquet(content[SCORES], SCORES)
    return table if about.get("metric_versions") == metric_versions() else None
