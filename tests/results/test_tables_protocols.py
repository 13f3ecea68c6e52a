"""Tables of MMPT's and U2A's protocols: imputation, data missing in training and testing, and in testing alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from results.availability import availability, availability_order
from results.data import load
from results.options import Options
from results.published_source import as_data
from results.schema import LogitsKey, Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Row, Table
from results.tables import TABLES
from results.testbed import Profile
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern, patterns

QUICK = Options(num_draws=8, num_resamples=0)


def tables(store: Store, name: str, options: Options = QUICK) -> list[Table]:
    built = TABLES.get(name)(load(store), options)
    assert isinstance(built, list)
    return built


def nothing(store: Store, name: str) -> str:
    built = TABLES.get(name)(load(store), QUICK)
    assert isinstance(built, Nothing)
    return built.reason


def score(record: TrialRecord, samples: Samples, pattern: Pattern, split: str = "test") -> float:
    logits = record.logits[LogitsKey("probe", pattern.key, split)]
    _, targets = samples.split(split)
    chosen = logits > 0 if samples.multi_label else logits.argmax(axis=1)
    return float(f1_score(targets, chosen, average="macro", zero_division=0))


def row_named(table: Table, label: str) -> Row:
    (row,) = [row for row in table.rows if row.label == label]
    return row


def texts(table: Table) -> dict[str, list[str]]:
    return {
        row.label: [table.plain(column, cell) for column, cell in zip(table.columns, row.cells, strict=True)]
        for row in table.rows
    }


@pytest.fixture(params=[2, 3], ids=["two modalities", "three modalities"])
def own(request: pytest.FixtureRequest, build_samples: Callable[..., Samples], store: Store) -> Samples:
    samples = build_samples(("audio", "image", "text")[: request.param])
    store.write_samples(samples)
    return samples


# Imputation.


def imputed(build_record: Any, samples: Samples, name: str, source: str, **more: Any) -> TrialRecord:
    params = {"source": source, "modality": name, "latent": more.pop("latent", 32)}
    record: TrialRecord = build_record(
        samples, "vae_imputation", has=[Pattern([name])], method_params=params, **{"skill": 1.8, **more}
    )
    return record


def test_imputation_is_selected_for_each_source_by_itself(own: Samples, store: Store, build_record: Any) -> None:
    trials: dict[tuple[str, str], list[TrialRecord]] = {}
    for name in own.modalities:
        expert = build_record(own, "unimodal", has=[Pattern([name])], method_params={"modality": name}, skill=1.5)
        trials["unimodal", name] = [expert]
        for source, skill in (("naive", 0.8), ("best", 2.5)):
            trials[source, name] = [
                imputed(build_record, own, name, source, latent=latent, skill=skill) for latent in (32, 64)
            ]
    for record in [record for records in trials.values() for record in records]:
        store.write_trial(record)
    (table,) = tables(store, "imputation")
    assert [row.label for row in table.rows] == [name.capitalize() for name in own.modalities]
    assert [column.name for column in table.columns] == ["Unimodal", "Imputed, naive", "Imputed, best"]
    for row, name in zip(table.rows, own.modalities, strict=True):
        expected = []
        for source in ("unimodal", "naive", "best"):
            pattern = Pattern([name])
            best = max(trials[source, name], key=lambda one: score(one, own, pattern, "val"))
            expected.append(score(best, own, pattern))
        assert [cell.value for cell in row.cells] == pytest.approx(expected, abs=1e-9)
        assert [cell.best for cell in row.cells] == [value == max(expected) for value in expected]
        assert [cell.better for cell in row.cells] == [value > expected[0] for value in expected]
    assert "variational autoencoder" in table.caption


def test_imputation_says_which_source_is_lacking(own: Samples, store: Store, build_record: Any) -> None:
    store.write_trial(imputed(build_record, own, "image", "best"))
    store.write_trial(imputed(build_record, own, "image", "umt"))
    (table,) = tables(store, "imputation")
    assert [column.name for column in table.columns] == ["Unimodal", "Imputed, naive", "Imputed, best", "Imputed, umt"]
    expert, naive, best, umt = row_named(table, "Image").cells
    assert best.value is not None
    assert umt.value is not None
    assert expert.reason == "unimodal on toy: not planned"
    assert naive.reason == "Vae Imputation on toy: no finished trial on features of the naive model"
    assert row_named(table, "Audio").cells[2].reason == "Vae Imputation on toy: none of its trials predicts from audio"


def test_no_imputation_is_nothing_to_show(filled: Store) -> None:
    assert nothing(filled, "imputation") == "no finished vae_imputation trial with p_train = 0 and a source"


def test_table_4_of_mmpt_is_printed_as_in_the_paper() -> None:
    built = TABLES.get("imputation")(as_data("mmpt", [4]), QUICK)
    assert isinstance(built, list)
    (table,) = built
    assert [column.group.split(", ")[-1] for column in table.columns] == ["early fusion"] * 3 + ["late fusion"] * 3
    assert texts(table) == {
        "Image": ["34.7", "21.2", "36.8", "35.5", "36.3", "38.4"],
        "Text": ["50.2", "40.1", "52.9", "61.1", "59.9", "60.7"],
    }
    assert [cell.best for cell in row_named(table, "Text").cells] == [False, False, True, True, False, False]
    assert [cell.better for cell in row_named(table, "Image").cells] == [False, False, True, False, True, True]


# Partly missing in training and testing.


def test_shares_that_are_there() -> None:
    both = ["image", "text"]
    rates = [MissingRates({"image": 0.7}), MissingRates.shared(0.35), MissingRates({"text": 0.7}), MissingRates()]
    ordered = sorted((rate.resolve(both) for rate in rates), key=lambda rate: availability_order(rate, both))
    assert [availability(rate, both) for rate in ordered] == [
        "complete",
        "image 30 %, text 100 %",
        "image 65 %, text 65 %",
        "image 100 %, text 30 %",
    ]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_every_training_is_tested_at_every_availability(
    own: Samples, store: Store, build_record: Any, metric: str
) -> None:
    rates = {"audio": MissingRates({"audio": 0.7}), "all": MissingRates.shared(0.35)}
    trained = [{}, {"audio": 0.7}, {"*": 0.35}]
    records = {
        (method, place, seed): build_record(own, method, p_train=p_train, seed=seed, skill=skill)
        for method, skill in (("naive", 1.0), ("mtl", 1.4))
        for place, p_train in enumerate(trained)
        for seed in (0, 1)
        if (method, place) != ("mtl", 1)
    }
    for record in records.values():
        store.write_trial(record)
    (table,) = tables(store, "missing_protocol", Options(metric=metric, num_draws=8, num_resamples=0))
    others = ", ".join(f"{name} 100 %" for name in own.modalities[1:])
    words = {
        "complete": MissingRates(),
        f"audio 30 %, {others}": rates["audio"],
        ", ".join(f"{name} 65 %" for name in own.modalities): rates["all"],
    }
    assert [row.label for row in table.rows] == [f"train {one}; test {other}" for one in words for other in words]
    assert [place for place, row in enumerate(table.rows) if row.rule] == [3, 6]
    assert [column.name for column in table.columns] == ["Naive", "Mtl"]
    for place, one in enumerate(words):
        for other, tested in words.items():
            row = row_named(table, f"train {one}; test {other}")
            for method, cell in zip(("naive", "mtl"), row.cells, strict=True):
                if (method, place) == ("mtl", 1):
                    assert cell.reason == "Mtl on toy: not planned"
                    continue
                profiles = [Profile.of(records[method, place, seed], own, split="test") for seed in (0, 1)]
                resolved = tested.resolve(own.modalities)
                each = [
                    float(profile.expected([resolved], metric)[0])
                    if metric == "accuracy"
                    else float(np.mean(profile.simulate([resolved], range(8), metric)[0]))
                    for profile in profiles
                ]
                assert cell.value == pytest.approx(np.mean(each), abs=1e-9)
                assert cell.spread == pytest.approx(np.std(each, ddof=1), abs=1e-9)
                assert cell.origin.trial_ids == tuple(records[method, place, seed].trial_id for seed in (0, 1))
    for row in table.rows:
        values = [cell.value for cell in row.cells if cell.value is not None]
        assert [cell.best for cell in row.cells] == [cell.value == max(values) for cell in row.cells]
    assert "independently" in table.caption
    assert "would lose every modality keeps one" in table.caption


def test_rates_trained_with_in_one_fusion_are_tested_in_both(own: Samples, store: Store, build_record: Any) -> None:
    store.write_trial(build_record(own, "naive", p_train={"audio": 0.7}, fusion="early"))
    store.write_trial(build_record(own, "naive", p_train={"image": 0.7}, fusion="late"))
    store.write_trial(build_record(own, "mtl", fusion="late"))
    early, late = tables(store, "missing_protocol")
    assert early.about["rates"] == late.about["rates"] == ["0", "audio:0.7", "image:0.7"]
    assert [len(table.rows) for table in (early, late)] == [3, 6]


def test_without_missing_data_in_training_there_is_no_protocol(own: Samples, store: Store, build_record: Any) -> None:
    store.write_trial(build_record(own, "naive"))
    assert nothing(store, "missing_protocol") == "no finished trial with p_train above 0"


# Missing in testing.


def test_a_whole_modality_missing_at_test_time(own: Samples, store: Store, build_record: Any) -> None:
    records = {
        (method, seed): build_record(own, method, seed=seed, skill=skill)
        for method, skill in (("naive", 1.0), ("mtl", 1.4))
        for seed in (0, 1)
    }
    for record in [*records.values(), build_record(own, "umt", p_train={"audio": 0.5})]:
        store.write_trial(record)
    (table,) = tables(store, "test_missing")
    assert [column.name for column in table.columns] == ["Naive", "Mtl"]
    every = patterns(own.modalities)
    assert len(table.rows) == len(every)
    assert table.rows[0].label.startswith("Toy Data: audio available, image")
    assert table.rows[-1].label == f"Toy Data: {' and '.join(own.modalities)} available, nothing missing"
    for pattern in every:
        lost = [name for name in own.modalities if name not in pattern]
        label = f"Toy Data: {' and '.join(pattern)} available, {' and '.join(lost) or 'nothing'} missing"
        values = [
            np.mean([score(records[method, seed], own, pattern) for seed in (0, 1)]) for method in ("naive", "mtl")
        ]
        cells = row_named(table, label).cells
        assert [cell.value for cell in cells] == pytest.approx(values, abs=1e-9)
        assert [cell.best for cell in cells] == [value == max(values) for value in values]
    assert "Trained on complete data" in table.caption


def test_data_sets_of_other_modalities_stand_below_each_other(
    store: Store, build_samples: Callable[..., Samples], build_record: Any
) -> None:
    for names in (("audio", "image"), ("audio", "image", "text")):
        samples = build_samples(names)
        store.write_samples(samples)
        store.write_trial(build_record(samples, "naive", trial_id=f"{len(names)}" * 16))
    store.write_trial(build_record(build_samples(), "mtl"))
    (table,) = tables(store, "test_missing")
    assert len(table.rows) == 3 + 7
    assert [place for place, row in enumerate(table.rows) if row.rule] == [3]
    assert {row.label.split(":")[0] for row in table.rows} == {"Toy Data [data2s00]", "Toy Data [data3s00]"}
    assert table.rows[-1].cells[1].reason == "Mtl on toy: finished only on other data (data2s00)"


def test_only_training_with_missing_data_is_nothing_to_show(own: Samples, store: Store, build_record: Any) -> None:
    store.write_trial(build_record(own, "naive", p_train={"audio": 0.7}))
    assert nothing(store, "test_missing") == "no finished trial with p_train = 0"


def test_table_4_of_u2a_is_printed_as_in_the_paper() -> None:
    built = TABLES.get("test_missing")(as_data("u2a", [4]), Options(metric="accuracy", route="head", num_resamples=0))
    assert isinstance(built, list)
    shown = [sorted(text for text in values if text != "-") for table in built for values in texts(table).values()]
    printed = {
        "audio": ["53.9", "51.5", "53.8", "59.4", "59.3", "67.2"],
        "text": ["85.8", "85.8", "85.2", "84.1", "86.5", "80.7"],
    }
    for values in printed.values():
        assert sorted(values) in shown
