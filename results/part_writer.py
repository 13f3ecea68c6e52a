"""Writing a part: trials are added one by one in the order of their ids; one trial's logits are in memory at a time."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from results.blocks import blocks
from results.part_files import (
    FACTS,
    FACTS_SCHEMA,
    HISTORY,
    PART_DONE,
    SCORES,
    TRIALS,
    part_name,
)
from results.schema import SCHEMA_VERSION, file_metadata
from results.scores import metric_versions
from search_spaces.spec import canonical_json

__all__ = ["PartWriter", "with_id"]

_GROUP = ["metric", "route", "split"]  # what a row group of scores has one of
# Reading one trial reads a row group of each file and the footer of its logits: both are to be small.
_TRIALS_IN_GROUP, _HISTORY_IN_GROUP, _TRIALS_IN_LOGITS = 250, 5_000, 250
_CODES = pa.dictionary(pa.int32(), pa.string())


class PartWriter:
    """Writes a part's files into a local folder.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = ExitStack()
        self._writers: dict[str, Any] = {}
        self._logits: dict[int, int] = {}  # number of classes -> trials so far
        self._trials: list[pa.Table] = []
        self._scores: list[pa.Table] = []
        self._facts: list[pa.Table] = []
        self._history: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def __len__(self) -> int:
        return sum(map(len, self._trials))

    def add_logits(self, trial_id: str, logits: pa.Table) -> tuple[str, int]:
        """Write a trial's logits as they lie in its folder; return the file and the row group they are in."""
        num_classes = logits.schema.field("logits").type.list_size
        number, place = divmod(self._logits.get(num_classes, 0), _TRIALS_IN_LOGITS)
        name = f"logits-{num_classes}-{number}.parquet"
        self._write(name, with_id(trial_id, logits, _logits_schema(num_classes)))
        self._logits[num_classes] = self._logits.get(num_classes, 0) + 1
        return name, place

    def add(self, trials: pa.Table, scores: pa.Table, history: pa.Table) -> None:
        """Add trials, columns of `PART_TRIALS_SCHEMA`, `PART_SCORES_SCHEMA` and `PART_HISTORY_SCHEMA`."""
        self._trials.append(trials)
        self._scores.append(scores)
        self._facts.append(history.filter(pc.is_null(history["epoch"])).select(FACTS_SCHEMA.names))
        self._history.append(history)
        if sum(map(len, self._history)) >= _HISTORY_IN_GROUP:
            self._flush_history()

    def finish(self, order: int) -> str:
        """Write what is left and `DONE`; return the part's name."""
        self._flush_history()
        trials = pa.concat_tables(self._trials)
        self._write(TRIALS, trials, rows=_TRIALS_IN_GROUP)
        self._write(FACTS, pa.concat_tables(self._facts))
        self._write_scores(pa.concat_tables(self._scores))
        self._files.close()
        found = {}
        for name in sorted(self._writers):
            with (self._folder / name).open("rb") as file:
                found[name] = blocks(file)
        done = {"schema_version": SCHEMA_VERSION, "order": order, "files": found}
        data = canonical_json({**done, "trial_ids": trials["trial_id"].to_pylist()}).encode()
        (self._folder / PART_DONE).write_bytes(data)
        return part_name(data)

    def _flush_history(self) -> None:
        if self._history:
            self._write(HISTORY, pa.concat_tables(self._history), rows=_HISTORY_IN_GROUP)
            self._history.clear()

    def _write_scores(self, rows: pa.Table) -> None:
        rows = rows.sort_by([(name, "ascending") for name in (*_GROUP, "pattern", "trial_id")])
        keys = rows.select(_GROUP).group_by(_GROUP, use_threads=False).aggregate([([], "count_all")])
        start = 0
        for count in keys["count_all"].to_pylist():
            self._write(SCORES, rows.slice(start, count), {"metric_versions": metric_versions()})
            start += count

    def _write(self, name: str, table: pa.Table, about: Mapping[str, Any] | None = None, rows: int = 0) -> None:
        """Add row groups of that many rows to a file, by default one of all."""
        if name not in self._writers:
            schema = table.schema.with_metadata(file_metadata(about))
            self._writers[name] = self._files.enter_context(
                pq.ParquetWriter(
                    self._folder / name,
                    schema,
                    compression="zstd",
                    write_page_checksum=True,
                    write_statistics=[one for one in ("trial_id", *_GROUP) if one in schema.names],
                )
            )
        writer = self._writers[name]
        writer.write_table(table.cast(writer.schema), row_group_size=rows or max(1, len(table)))


def with_id(trial_id: str, table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return one trial's table with its id in the first column, as `schema` has it."""
    ids = pa.repeat(trial_id, len(table))
    return table.replace_schema_metadata().add_column(0, "trial_id", ids).select(schema.names).cast(schema)


def _logits_schema(num_classes: int) -> pa.Schema:
    codes = [(name, _CODES) for name in ("split", "pattern", "route")]
    own = ("logits", pa.list_(pa.float32(), num_classes))
    return pa.schema([("trial_id", pa.string()), *codes, ("sample_id", pa.string()), own])
