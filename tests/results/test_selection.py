"""Selection: what it picks, and that test scores cannot move it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.frame import frame, load
from results.schema import Samples, TrialRecord
from results.selection import ValidationScores, rule_named
from results.store import Store
from search_spaces.errors import UnknownNameError


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_test_scores_never_change_a_pick(filled: Store, seed: int) -> None:
    table = frame(filled)
    pick = rule_named("best_validation").pick
    before = pick(ValidationScores(table))
    is_test = table["split"].eq("test").to_numpy()
    table.loc[is_test, "value"] = np.random.default_rng(seed).random(int(is_test.sum()))
    assert pick(ValidationScores(table)) == before
    assert pick(ValidationScores(table[~is_test])) == before


def test_a_rule_is_given_validation_rows_only(filled: Store) -> None:
    table = frame(filled)
    scores = ValidationScores(table)
    assert "split" not in scores.rows
    validation = table[table["split"].eq("val") & table["metric"].eq("macro_f1") & table["route"].eq("probe")]
    assert sorted(scores.rows["value"]) == sorted(validation["value"])


def test_the_best_configuration_wins_with_all_its_seeds(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    store.write_samples(samples)
    good = [build_record(samples, seed=seed, learning_rate=0.1, skill=9.0) for seed in (1, 0)]
    for record in [*good, build_record(samples, learning_rate=0.2, skill=0.1)]:
        store.write_trial(record)
    picks = rule_named("best_validation").pick(ValidationScores(frame(store)))
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
    picks = rule_named("best_validation").pick(ValidationScores(frame(store)))
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
    assert len(load(filled).headers) == table["trial_id"].nunique()


def test_unknown_rule() -> None:
    with pytest.raises(UnknownNameError, match="selection rule"):
        rule_named("oracle")
