"""A store's compacted trials as a source of tables: scores by metric, route and split, logits trial by trial."""

from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from results.blocks import groups_with
from results.files import StoreError
from results.header import CorruptTrialError
from results.part_files import FACTS, FACTS_SCHEMA, PART_SCORES_SCHEMA, SCORES, TRIALS
from results.parts import Part
from results.schema import Logits, Samples, TrialRecord, read_about
from results.scores import metric_versions, scores_table
from results.store import Store
from results.trial_rows import TRIALS_SCHEMA
from search_spaces.errors import MmptError

__all__ = ["Compacted"]

_NO_SCORES = PART_SCORES_SCHEMA.empty_table()


class Compacted:
    """The trials of a store's parts. What tables read of a part is checked at once and kept as compressed bytes.

    Args:
        store: its parts as they are now; those that appear later are not seen.
        besides: trials to leave out, since they are read from elsewhere.
    """

    def __init__(self, store: Store, besides: Collection[str] = ()) -> None:
        self.place = store.root
        self.samples: Callable[[str], Samples] = lru_cache(maxsize=None)(store.read_samples)
        self.corrupt: dict[str, str] = {}
        self._store = store
        self._parts: list[_OpenPart] = []
        taken = set(besides)
        for part in store.parts():
            own = set(part.trial_ids) - taken
            try:
                self._parts += [_OpenPart(part, own)] if own else []
            except StoreError as error:
                self.corrupt |= dict.fromkeys(sorted(own), str(error))
            else:
                taken |= own
        self.corrupt = {key: why for key, why in self.corrupt.items() if key not in taken}
        self._parts.sort(key=lambda part: min(part.trial_ids))  # nearly in the order that readers want
        empty = TRIALS_SCHEMA.empty_table()
        self.trials = pa.concat_tables([empty, *(part.trials() for part in self._parts)]).to_pandas()

    def scores(self, split: str | None, route: str | None, metric: str | None) -> pd.DataFrame:
        """Return scores; see `Source`. Metrics that a part lacks, or has of another version, are computed from logits.

        Raises:
            CorruptTrialError: the logits of such a trial cannot be read; from then on it is left out.
        """
        tables = [_NO_SCORES]
        for part in self._parts:
            tables += part.stored_scores(split, route, metric)
            tables += self._computed_scores(part, split, route, metric)
        rows: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
        return rows

    def facts(self, trial_ids: Collection[str]) -> pd.DataFrame:
        """Return whole-trial facts; see `Source`."""
        wanted = set(trial_ids)
        tables = [FACTS_SCHEMA.empty_table(), *(part.facts(wanted) for part in self._parts)]
        rows: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return rows

    def logits(self, trial_id: str) -> Logits:
        """Return a trial's logits; see `Source`. Only its own row group is read."""
        return self._store.read_logits(trial_id)

    def record(self, trial_id: str) -> TrialRecord:
        """Return a whole trial; see `Source`. Only its own row groups are read."""
        return self._store.read_trial(trial_id)

    def _computed_scores(
        self, part: "_OpenPart", split: str | None, route: str | None, metric: str | None
    ) -> Iterator[pa.Table]:
        """Score by the metrics that a part's file cannot answer for."""
        missing = [name for name in part.stale_metrics() if metric in (None, name)]
        for trial_id in sorted(part.trial_ids - self.corrupt.keys()) if missing else ():
            if trial_id not in part.computed:
                part.computed[trial_id] = self._score(trial_id)
            table = part.computed[trial_id]
            wanted = pc.is_in(table["metric"], pa.array(missing))
            for name, value in (("split", split), ("route", route)):
                wanted = wanted if value is None else pc.and_(wanted, pc.equal(table[name], value))
            yield table.filter(wanted)

    def _score(self, trial_id: str) -> pa.Table:
        try:
            record = self.record(trial_id)
            table = scores_table(record, self.samples(record.facts["fingerprint"]))
        except MmptError as error:
            self.corrupt[trial_id] = str(error)
            raise CorruptTrialError(str(error), trial_id) from error
        return table.add_column(0, "trial_id", pa.repeat(trial_id, len(table)))


class _OpenPart:
    """What tables need of a part, checked and at hand as compressed bytes."""

    def __init__(self, part: Part, trial_ids: Collection[str]) -> None:
        self.trial_ids = frozenset(trial_ids)
        self.computed: dict[str, pa.Table] = {}
        part.check_sizes()
        self._all = len(self.trial_ids) == len(part.trial_ids)
        self._trials, self._scores, self._facts = (_open(part, name) for name in (TRIALS, SCORES, FACTS))
        self._versions = read_about(self._scores.metadata.metadata, part.name).get("metric_versions", {})

    def trials(self) -> pa.Table:
        """Return the rows of the trials, without their specs and facts."""
        return self._own(self._trials.read(TRIALS_SCHEMA.names))

    def stored_scores(self, split: str | None, route: str | None, metric: str | None) -> Iterator[pa.Table]:
        """Return stored scores that still hold; row groups without any of what is asked for are not read."""
        for name, version in metric_versions().items():
            if metric in (None, name) and self._versions.get(name) == version:
                groups = groups_with(self._scores.metadata, {"split": split, "route": route, "metric": name})
                if groups:
                    yield self._own(self._scores.read_row_groups(groups))

    def stale_metrics(self) -> list[str]:
        """Return the metrics that the stored scores lack or have of another version."""
        return [name for name, version in metric_versions().items() if self._versions.get(name) != version]

    def facts(self, trial_ids: Collection[str]) -> pa.Table:
        """Return the facts of some trials."""
        wanted = sorted(self.trial_ids.intersection(trial_ids))
        if not wanted:
            return FACTS_SCHEMA.empty_table()
        rows = self._facts.read()
        return rows.filter(pc.is_in(rows["trial_id"], pa.array(wanted)))

    def _own(self, table: pa.Table) -> pa.Table:
        return table if self._all else table.filter(pc.is_in(table["trial_id"], pa.array(sorted(self.trial_ids))))


def _open(part: Part, name: str) -> Any:
    return pq.ParquetFile(pa.BufferReader(part.whole(name)), page_checksum_verification=True)
