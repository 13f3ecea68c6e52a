"""Selection: what it picks, and that test scores cannot move it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.data import from_sources, load
from results.long_form import frame
from results.options import Options
from results.report import build_table
from results.rules import RULES, rule_named
from results.schema import LogitsKey, Samples, TrialRecord
from results.selection import select
from results.sources import Folders, Source
from results.store import Store
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError

Make = Callable[..., TrialRecord]


class Watched:
    """A source that records which splits are read, and can lie about test scores."""

    def __init__(self, source: Source, seed: int | None = None) -> None:
        self._source, self._seed = source, seed
        self.read: list[str | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def scores(self, split: str | None, route: str | None, metric: str | None) -> pd.DataFrame:
        self.read.append(split)
        rows = self._source.scores(split, route, metric).copy()
        if self._seed is not None:
            is_test = rows["split"].eq("test").to_numpy()
            rows.loc[is_test, "value"] = np.random.default_rng(self._seed).random(int(is_test.sum()))
        return rows


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), rule=st.sampled_from(["best_validation", "best_full"]))
def test_test_scores_never_change_a_pick(filled: Store, seed: int, rule: str) -> None:
    source = Folders(filled)
    options = Options(rule=rule)
    assert select(from_sources([Watched(source, seed)]), options) == select(from_sources([source]), options)


@pytest.mark.parametrize("rule", [name for name, rule in RULES.items() if rule.split == "val"])
def test_a_rule_is_given_validation_rows_only(filled: Store, rule: str) -> None:
    source = Watched(Folders(filled))
    fixed = (("learning_rate", 1e-3),) if rule == "fixed" else ()
    select(from_sources([source]), Options(rule=rule, fixed=fixed))
    assert set(source.read) == {"val"}


def test_the_oracle_reads_test_scores_and_only_when_allowed(filled: Store) -> None:
    source = Watched(Folders(filled))
    data = from_sources([source])
    with pytest.raises(InvalidValueError, match="allow the oracle"):
        select(data, Options(rule="oracle_test"))
    assert source.read == []
    select(data, Options(rule="oracle_test", allow_oracle=True))
    assert source.read == ["test"]
    (table,) = build_table(filled, "mmpt_profile", rule="oracle_test", allow_oracle=True)
    assert "SELECTED ON THE TEST SET" in table.caption


def two_rates(store: Store, samples: Samples, build_record: Make) -> tuple[TrialRecord, TrialRecord]:
    """Two configurations of naive training: `sharp` is better with both modalities, `broad` with one."""
    store.write_samples(samples)
    sharp, broad = (build_record(samples, learning_rate=rate, trial_id=f"{rate}") for rate in (0.1, 0.2))
    hot = np.eye(len(samples.class_names))
    for record, good in ((sharp, "audio-image"), (broad, "audio")):
        for split in ("val", "test"):
            record.logits[LogitsKey("probe", good, split)][:] = 9 * hot[samples.split(split)[1]]
        store.write_trial(record)
    return sharp, broad


def chosen(store: Store, **options: Any) -> dict[str, tuple[str, ...]]:
    return {pattern: pick.trial_ids for (_, pattern), pick in select(load(store), Options(**options)).items()}


def test_best_validation_decides_in_each_column_and_best_full_once(
    store: Store, samples: Samples, build_record: Make
) -> None:
    sharp, broad = two_rates(store, samples, build_record)
    by_column = chosen(store)
    assert (by_column["audio-image"], by_column["audio"]) == ((sharp.trial_id,), (broad.trial_id,))
    assert set(chosen(store, rule="best_full").values()) == {(sharp.trial_id,)}


def test_fixed_hyperparameters_select_nothing(store: Store, samples: Samples, build_record: Make) -> None:
    _, broad = two_rates(store, samples, build_record)
    assert set(chosen(store, rule="fixed", fixed=(("learning_rate", 0.2),)).values()) == {(broad.trial_id,)}
    with pytest.raises(MmptError, match=r"naive has 2 configurations left; fix also learning_rate \(0.1, 0.2\)"):
        chosen(store, rule="fixed", fixed=(("batch_size", 64),))
    with pytest.raises(UnknownNameError, match="unknown axis 'learning_rat'; did you mean 'learning_rate'"):
        chosen(store, rule="fixed", fixed=(("learning_rat", 0.2),))
    with pytest.raises(InvalidValueError, match=r"fixed learning_rate: 7 is not allowed; expected one of 0.1, 0.2"):
        chosen(store, rule="fixed", fixed=(("learning_rate", 7),))
    with pytest.raises(InvalidValueError, match="one value for each axis"):
        chosen(store, rule="fixed", fixed=(("learning_rate", 0.1), ("learning_rate", 0.2)))
    with pytest.raises(InvalidValueError, match="only then"):
        chosen(store, fixed=(("learning_rate", 0.2),))


def test_the_best_configuration_wins_with_all_its_seeds(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    store.write_samples(samples)
    good = [build_record(samples, seed=seed, learning_rate=0.1, skill=9.0) for seed in (1, 0)]
    for record in [*good, build_record(samples, learning_rate=0.2, skill=0.1)]:
        store.write_trial(record)
    picks = select(load(store), Options())
    assert {pick.seeds for pick in picks.values()} == {(0, 1)}
    assert {pick.trial_ids for pick in picks.values()} == {(good[1].trial_id, good[0].trial_id)}


def test_each_column_takes_the_member_that_reports_it(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    store.write_samples(samples)
    for drop, left, skill in (("audio", "image", 5.0), ("image", "audio", 0.5)):
        reports = ["audio-image", left]
        store.write_trial(
            build_record(samples, "dropout", reports=reports, method_params={"drop": drop}, skill=skill, trial_id=left)
        )
    picks = select(load(store), Options())
    chosen = {pattern: pick.trial_ids for (_, pattern), pick in picks.items()}
    assert chosen == {"audio-image": ("image",), "image": ("image",), "audio": ("audio",)}


def test_damaged_trials_are_left_out_and_listed(filled: Store) -> None:
    damaged = min(filled.done_ids())
    filled.files.remove("trials", damaged, "history.parquet")
    table = frame(filled)
    assert damaged not in set(table["trial_id"])
    assert list(table.attrs["corrupt"]) == [damaged]


def test_a_frame_names_its_axes(filled: Store) -> None:
    table = frame(filled)
    assert {"p_train", "method.modality", "learning_rate", "config", "label"} <= set(table.columns)
    assert {"0", "audio:0.3", "audio:0.6"} == set(table["p_train"])
    assert table[table["label"] == "all"]["reported"].any()
    assert len(load(filled).trials) == table["trial_id"].nunique()


def test_unknown_rule() -> None:
    with pytest.raises(UnknownNameError, match="selection rule"):
        rule_named("oracle")
