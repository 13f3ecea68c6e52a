"""Where a table's numbers come from: anything that has trials, their scores and histories, and maybe their logits."""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Protocol

import pandas as pd
import pyarrow as pa

from results.file_system import StoreAccessError
from results.header import CorruptTrialError, read_header
from results.schema import Logits, Samples, TrialRecord, read_parquet
from results.scores import SCORES_SCHEMA, ScoreRow, metric_versions, score_rows
from results.store import Store
from results.trial_folders import HISTORY, SCORES, SPEC, record_of
from results.trial_rows import as_frame, trial_row
from search_spaces.errors import MmptError

__all__ = ["FACTS", "Folders", "Source"]

FACTS = ("trial_id", "name", "value")
"""Columns of whole-trial facts: the rows of a history that belong to no epoch."""


class Source(Protocol):
    """Finished trials of one place. Frames have the columns named; rows are in no particular order."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, columns of `results.trial_rows.TRIALS_SCHEMA`."""

    @property
    def corrupt(self) -> Mapping[str, str]:
        """Trials that cannot be read: id -> why."""

    def samples(self, fingerprint: str) -> Samples:
        """Return a data set's samples."""

    def scores(self, split: str | None, route: str | None, metric: str | None) -> pd.DataFrame:
        """Return scores: `trial_id` and the columns of `SCORES_SCHEMA`; None: all there are."""

    def facts(self, trial_ids: Collection[str]) -> pd.DataFrame:
        """Return whole-trial facts, columns `FACTS`."""

    def logits(self, trial_id: str) -> Logits:
        """Return a trial's logits and sample ids.

        Raises:
            CorruptTrialError: they cannot be read.
            MmptError: the source has scores but no logits.
        """

    def record(self, trial_id: str) -> TrialRecord:
        """Return a whole trial, its history too; raises like `logits`."""


class Folders:
    """The trials of a store that lie in folders of their own. Reads each trial's row and scores, not its logits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.place = store.root
        self.corrupt: dict[str, str] = {}
        self.samples = lru_cache(maxsize=None)(store.read_samples)
        rows, parts = [], []
        for trial_id in store.folder_ids():
            try:
                row, scores = self._read(trial_id)
            except StoreAccessError:
                raise
            except MmptError as error:
                self.corrupt[trial_id] = str(error)
                continue
            rows.append(row)
            parts.append(scores)
        self.trials = as_frame(rows)
        empty = SCORES_SCHEMA.insert(0, pa.field("trial_id", pa.string())).empty_table()
        self._scores: pd.DataFrame = pa.concat_tables([empty, *parts]).to_pandas()

    def scores(self, split: str | None, route: str | None, metric: str | None) -> pd.DataFrame:
        """Return scores; see `Source`."""
        rows = self._scores
        for name, wanted in (("split", split), ("route", route), ("metric", metric)):
            rows = rows if wanted is None else rows[rows[name] == wanted]
        return rows

    def facts(self, trial_ids: Collection[str]) -> pd.DataFrame:
        """Return whole-trial facts; see `Source`."""
        rows = [(trial_id, *row) for trial_id in sorted(trial_ids) for row in self._whole_trial(trial_id)]
        return pd.DataFrame(rows, columns=list(FACTS))

    def logits(self, trial_id: str) -> Logits:
        """Return a trial's logits; see `Source`."""
        return self._store.read_logits(trial_id)

    def record(self, trial_id: str) -> TrialRecord:
        """Return a whole trial; see `Source`."""
        return self._store.read_trial(trial_id)

    def _read(self, trial_id: str) -> tuple[dict[str, str | int], pa.Table]:
        content = self._store.read_folder(trial_id, (SPEC, SCORES))
        spec, facts = read_header(trial_id, content[SPEC])
        samples = self.samples(facts["fingerprint"])
        scores = self._stored_scores(trial_id, content)
        if scores is None:  # an older metric, or one of the user's own: from the logits
            record = record_of(trial_id, self._store.read_folder(trial_id))
            found = [ScoreRow(*row)._asdict() for row in score_rows(record, samples)]
            scores = pa.Table.from_pylist(found, schema=SCORES_SCHEMA)
        ids = pa.array([trial_id] * len(scores), pa.string())
        return trial_row(trial_id, spec, facts), scores.add_column(0, "trial_id", ids)

    def _stored_scores(self, trial_id: str, content: Mapping[str, bytes]) -> pa.Table | None:
        if SCORES not in content:
            return None
        table, about = read_parquet(content[SCORES], f"trial {trial_id}")
        known: Mapping[str, int] = about.get("metric_versions", {})
        return table.cast(SCORES_SCHEMA) if known == metric_versions() else None

    def _whole_trial(self, trial_id: str) -> Iterator[tuple[str, float]]:
        try:
            content = self._store.read_folder(trial_id, (HISTORY,))
        except CorruptTrialError:  # compacted since it was listed, or damaged: the store knows
            whole = self._store.read_trial(trial_id).history
            whole = whole[whole["epoch"].isna()]
            return zip(whole["name"], whole["value"], strict=True)
        table, _ = read_parquet(content[HISTORY], f"trial {trial_id}")
        rows = table.filter(table["epoch"].is_null())
        return zip(rows["name"].to_pylist(), rows["value"].to_pylist(), strict=True)
