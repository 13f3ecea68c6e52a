"""What tables and figures read: the trials of one or more stores, their scores at hand, their logits when asked for."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from results.agreement import check_equal
from results.compacted import Compacted
from results.failures import Failure
from results.schema import Samples, TrialRecord
from results.scores import SCORES_SCHEMA
from results.sources import FACTS, Folders, Source
from results.store import Store
from results.testbed import Profile
from results.trial_rows import as_frame
from search_spaces.errors import MmptError

__all__ = ["StoreData", "from_sources", "load"]


@dataclass(frozen=True, eq=False)
class StoreData:
    """Finished trials as tables and figures need them; every trial is in it once.

    Attributes:
        root: of the store, or of the first of several.
        trials: one row per trial, indexed by `trial_id`, columns of `results.trial_rows.TRIALS_SCHEMA`.
        samples: fingerprint -> the data set's samples.
        failures: trials that failed and have not succeeded since.
        corrupt: trial id -> why it cannot be read.
        planned: trials that a sweep has planned and not finished, columns as in `trials`.
        begun: trials that have an epoch checkpoint: they are running, or were interrupted.
    """

    root: str
    trials: pd.DataFrame
    samples: Mapping[str, Samples]
    failures: Mapping[str, Failure] = field(default_factory=dict)
    corrupt: Mapping[str, str] = field(default_factory=dict)
    planned: pd.DataFrame = field(default_factory=lambda: as_frame([]))
    begun: frozenset[str] = frozenset()
    _sources: Sequence[Source] = field(default=(), repr=False)

    @cached_property
    def axes(self) -> Mapping[str, dict[str, Any]]:
        """Configuration -> its axes without the seed, flat (`method.<name>`, `encoder.<modality>`, ...)."""
        each = self.trials.drop_duplicates("config")
        found = json.loads(f"[{','.join(each['axes'].tolist())}]")  # at once: half the time of one by one
        return dict(zip(each["config"].tolist(), found, strict=True))

    def scores(self, split: str | None = None, route: str | None = None, metric: str | None = None) -> pd.DataFrame:
        """Return scores of the trials, one row per trial, split, route, pattern and metric; None: all of them."""
        columns = ["trial_id", *SCORES_SCHEMA.names]
        parts = [source.scores(split, route, metric)[columns] for source in self._sources]
        rows = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
        rows = rows[_is_in(rows["trial_id"], self.trials["trial_id"])]
        if len(frozenset().union(*self._ids)) < sum(map(len, self._ids)):  # some trials are in several sources
            rows = rows.drop_duplicates(columns[:-1])
        return rows.reset_index(drop=True)

    @cached_property
    def _ids(self) -> list[frozenset[str]]:
        """Which trials each source has."""
        return [frozenset(source.trials["trial_id"].tolist()) for source in self._sources]

    @cached_property
    def _test_scores(self) -> dict[tuple[str, str], Mapping[str, Mapping[str, float]]]:
        return {}

    def test_score(self, trial_id: str, pattern: str, *, metric: str, route: str) -> float:
        """Return a trial's test score under a pattern (its key)."""
        known = self._test_scores
        if (metric, route) not in known:
            rows = self.scores("test", route, metric)
            known[metric, route] = {
                str(key): dict(zip(own["trial_id"].tolist(), own["value"].tolist(), strict=True))
                for key, own in rows.groupby("pattern")
            }
        return known[metric, route][pattern][trial_id]

    def facts(self, trial_ids: Collection[str]) -> dict[str, dict[str, float]]:
        """Return whole-trial facts, for instance `seconds/total`: trial id -> name -> value."""
        found: dict[str, dict[str, float]] = {trial_id: {} for trial_id in trial_ids}
        for source, own in zip(self._sources, self._ids, strict=True):
            here = source.facts(own.intersection(trial_ids))
            for trial_id, name, value in here[list(FACTS)].itertuples(index=False):
                found[trial_id].setdefault(name, value)
        return found

    def record(self, trial_id: str) -> TrialRecord:
        """Return a trial with its logits and history, read now.

        Raises:
            CorruptTrialError: it cannot be read; `without` gives the data that is left.
        """
        return self._source_of(trial_id).record(trial_id)

    def _source_of(self, trial_id: str) -> Source:
        for source, own in zip(self._sources, self._ids, strict=True):
            if trial_id in own:
                return source
        raise MmptError(f"no trial {trial_id} in {self.root}")

    def profile(self, trial_id: str, *, split: str = "test", route: str = "probe") -> Profile:
        """Return a trial's predictions, read now."""
        samples = self.samples[str(self.trials.loc[trial_id, "fingerprint"])]
        return Profile.read(trial_id, self._source_of(trial_id).logits(trial_id), samples, split=split, route=route)

    def seed(self, trial_id: str) -> int:
        """Return a trial's training seed."""
        return self._seeds[trial_id]

    @cached_property
    def _seeds(self) -> dict[str, int]:
        return dict(zip(self.trials["trial_id"].tolist(), self.trials["seed"].tolist(), strict=True))

    def title(self, kind: str, key: str) -> str:
        """Return the display name of a `method` or `dataset` as its trials have stored it, else its key."""
        return self._titles[kind].get(key, key)

    @cached_property
    def _titles(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for kind in ("method", "dataset"):
            each = self.trials.drop_duplicates([kind, "titles"])
            pairs = zip(each[kind], map(json.loads, each["titles"]), strict=True)
            found[kind] = {key: str(titles[kind]) for key, titles in pairs if kind in titles}
        return found

    def without(self, trial_id: str, why: str) -> "StoreData":
        """Return the data without a trial that turned out to be damaged."""
        return replace(self, trials=self.trials.drop(index=trial_id), corrupt={**self.corrupt, trial_id: why})


def load(*stores: Store) -> StoreData:
    """Read one or more stores, keeping rows and scores but no logits.

    Trials that cannot be read, damaged or of a newer version, are left out and listed in `corrupt`.

    Raises:
        MmptError: two stores have different results for one trial.
    """
    sources = [source for store in stores for source in _sources(store)]
    data = from_sources(sources)
    failures = {key: failure for store in reversed(stores) for key, failure in store.failures().items()}
    open_failures = {key: failure for key, failure in failures.items() if key not in data.trials.index}
    planned = pd.concat([store.planned() for store in stores]).drop_duplicates("trial_id")
    begun = frozenset(trial_id for store in stores for trial_id in store.checkpoint_ids())
    return replace(
        data,
        failures=open_failures,
        begun=begun,
        planned=planned[~_is_in(planned["trial_id"], data.trials["trial_id"])],
    )


def _sources(store: Store) -> list[Source]:
    folders = Folders(store)  # before the parts: a trial may move from here to there meanwhile
    return [folders, Compacted(store, besides=set(folders.trials["trial_id"]))]


def from_sources(sources: Sequence[Source]) -> StoreData:
    """Put sources together; a trial that several of them have is taken from the first.

    Raises:
        MmptError: they disagree about a trial's scores.
    """
    rows = pd.concat([source.trials for source in sources])
    check_equal(set(rows.loc[rows["trial_id"].duplicated(), "trial_id"]), sources)
    trials = rows.drop_duplicates("trial_id").set_index("trial_id", drop=False).rename_axis(None).sort_index()
    samples: dict[str, Samples] = {}
    for source in sources:
        for fingerprint in sorted(set(source.trials["fingerprint"]) - set(samples)):
            samples[fingerprint] = source.samples(fingerprint)
    corrupt = {key: why for source in reversed(sources) for key, why in source.corrupt.items()}
    corrupt = {key: why for key, why in corrupt.items() if key not in trials.index}
    return StoreData(sources[0].place, trials, samples, corrupt=corrupt, _sources=tuple(sources))


def _is_in(column: pd.Series, known: pd.Series) -> npt.NDArray[np.bool_]:
    """Do what `isin` does, which takes a Python loop over many thousand known texts."""
    return np.asarray(pc.is_in(pa.array(column, pa.string()), value_set=pa.array(known, pa.string())))
