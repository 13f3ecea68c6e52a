"""One part of a compacted store: thousands of trials, of which one or some columns are read at a time."""

import io
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from results.blocks import groups_with, read_footer, read_group
from results.file_system import StoreAccessError
from results.files import Files, StoreError
from results.header import CorruptTrialError, read_header
from results.parquet import read_logits
from results.part_files import COMPACTED, FACTS, HISTORY, SCORES, TRIALS, PartFiles
from results.schema import Logits, SchemaError, TrialRecord, read_about

__all__ = ["Part"]

T = TypeVar("T")

_TABLES = (TRIALS, SCORES, FACTS)  # what tables read: damage there concerns every trial of a part
_FOOTERS = 4  # that a part keeps in memory; those of logits are big
_UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, IndexError, TypeError)


class Part(PartFiles):
    """Many trials folded into few files; see `PartFiles`."""

    def __init__(self, files: Files, name: str) -> None:
        super().__init__(files, name)
        self._metadata = lru_cache(maxsize=_FOOTERS)(self._read_metadata)
        self._looked_at = False

    def damaged_at_sight(self) -> dict[str, str]:
        """Check the files' lengths; return trial id -> what is wrong with it."""
        problem = self.problem()
        return {} if problem is None else dict.fromkeys(self.trial_ids, problem)

    def damaged(self) -> dict[str, str]:
        """Check every byte; return trial id -> what is wrong with it."""
        try:
            self.check_sizes()
            for name in _TABLES:
                self.whole(name)
        except StoreError as error:
            return dict.fromkeys(self.trial_ids, str(error))
        found = {}
        if any(not self._intact(name) for name in sorted(set(self._blocks) - set(_TABLES))):
            for trial_id in self.trial_ids:
                try:
                    self.record(trial_id)
                except StoreError as error:
                    found[trial_id] = str(error)
        return found

    def _read_metadata(self, name: str) -> Any:
        found = read_footer(self._block(name, -1))
        read_about(found.metadata or {}, self._files.path(COMPACTED, self.name, name))
        return found

    def _rows(self, name: str, groups: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Return row groups of a file, reading those bytes alone."""
        metadata, own = self._metadata(name), self._blocks[name]
        return pa.concat_tables([read_group(metadata, at, own[at], self._block(name, at), columns) for at in groups])

    def _rows_of(self, trial_id: str, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        rows = self._rows(name, groups_with(self._metadata(name), {"trial_id": trial_id}), columns)
        return rows.filter(pc.equal(rows["trial_id"], trial_id))

    def record(self, trial_id: str) -> TrialRecord:
        """Return a trial, reading its own row groups alone.

        Raises:
            CorruptTrialError: they are not those written.
            SchemaError: a newer version of this program wrote them.
        """
        return self._checked(trial_id, self._record)

    def logits(self, trial_id: str) -> Logits:
        """Return a trial's logits, reading their row group alone; raises like `record`."""
        return self._checked(trial_id, self._logits)

    def _checked(self, trial_id: str, read: Callable[[str], T]) -> T:
        try:
            if not self._looked_at:
                self.check_sizes()
                self._looked_at = True
            return read(trial_id)
        except (SchemaError, CorruptTrialError, StoreAccessError):
            raise
        except (StoreError, *_UNREADABLE) as error:
            raise CorruptTrialError(f"trial {trial_id}: {error}", trial_id) from error

    def _record(self, trial_id: str) -> TrialRecord:
        (about,) = self._rows_of(trial_id, TRIALS, ["trial_id", "header"]).to_pylist()
        spec, facts = read_header(trial_id, about["header"].encode())
        logits, sample_ids = self._logits(trial_id)
        history = self._rows_of(trial_id, HISTORY).drop_columns("trial_id").to_pandas()
        return TrialRecord(
            trial_id=trial_id, spec=spec, facts=facts, logits=logits, sample_ids=sample_ids, history=history
        )

    def _logits(self, trial_id: str) -> Logits:
        name, place = self._places[trial_id]
        rows = self._rows(name, [place])
        if rows["trial_id"][0].as_py() != trial_id:
            raise ValueError(f"part {self.name} holds another trial's logits in their place")
        return read_logits(rows.drop_columns("trial_id"))

    @cached_property
    def _places(self) -> dict[str, tuple[str, int]]:
        """Trial id -> file and row group of its logits."""
        groups = range(self._metadata(TRIALS).num_row_groups)
        rows = self._rows(TRIALS, groups, ["trial_id", "logits", "row_group"])
        return {row["trial_id"]: (row["logits"], row["row_group"]) for row in rows.to_pylist()}

    def origins(self) -> dict[str, str]:
        """Return trial id -> hash of the `DONE` of the folder it came from."""
        table = pq.read_table(io.BytesIO(self.whole(TRIALS)), columns=["trial_id", "origin"])
        return dict(zip(table["trial_id"].to_pylist(), table["origin"].to_pylist(), strict=True))
