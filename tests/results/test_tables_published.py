"""A paper's numbers beside a store's: each where it belongs, never ranked, with what is known to be wrong with them."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from made_up import make_record, make_samples

from results.data import StoreData, load
from results.options import Options
from results.pattern_shares import pattern_shares
from results.published import published
from results.schema import LogitsKey, Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Table
from results.tables import TABLES
from search_spaces.errors import UnknownNameError
from search_spaces.missing_rates import MissingRates

QUICK = Options(num_draws=4, num_resamples=0, compare="mmpt")
ACCURACY = dataclasses.replace(QUICK, metric="accuracy")


def named(dataset: str, modalities: Sequence[str]) -> Samples:
    return dataclasses.replace(make_samples(modalities), dataset=dataset)


def write(store: Store, samples: Samples, *methods: str, **axes: Any) -> list[TrialRecord]:
    store.prepare()
    store.write_samples(samples)
    records = [make_record(samples, method, seed=seed, **axes) for method in methods for seed in (0, 1)]
    for record in records:
        store.write_trial(record)
    return records


def built(data: StoreData, options: Options) -> list[Table]:
    tables = TABLES.get("published_numbers")(data, options)
    assert isinstance(tables, list)
    return tables


def reason(data: StoreData, options: Options) -> str:
    nothing = TABLES.get("published_numbers")(data, options)
    assert isinstance(nothing, Nothing)
    return nothing.reason


def test_table_1_stands_beside_the_stores_numbers(store: Store) -> None:
    write(store, named("mm_imdb", ("image", "text")), "naive", "umt", "my_method")
    data = load(store)
    (table,) = built(data, QUICK)
    keys = {"Both": ("all", "image-text"), "Text": ("text", "text"), "Image": ("image", "image")}
    names = ("Yours", "Published", "Difference")
    assert [(column.group, column.name) for column in table.columns] == [(key, name) for key in keys for name in names]
    assert [row.key for row in table.rows] == ["naive", "unimodal", "dropout", "mtl", "gblend", "ogm_ge", "umt"]
    printed = published("mmpt").query("table == 1 and dataset == 'mm_imdb' and fusion == 'late'")
    printed_of = {(row.method, row.available): row.value for row in printed.itertuples()}
    tests = data.scores("test", "probe", "macro_f1").merge(data.trials[["method", "trial_id"]].reset_index(drop=True))
    for row in table.rows:
        for place, (available, pattern) in enumerate(keys.values()):
            yours, theirs, difference = row.cells[3 * place : 3 * place + 3]
            assert theirs.value == printed_of.get((row.key, available))
            own = tests[(tests["method"] == row.key) & (tests["pattern"] == pattern)]["value"]
            if own.empty:
                assert (yours.value, difference.value) == (None, None)
                assert "not planned" in yours.reason
            else:
                assert yours.value == pytest.approx(own.mean(), abs=1e-12)
                assert difference.value == pytest.approx(own.mean() - printed_of[row.key, available], abs=1e-12)
    assert table.rows[0].cells[1].value == 0.593
    assert not any(cell.best or cell.better for row in table.rows for cell in row.cells)


def test_the_caption_says_what_to_beware_of(store: Store) -> None:
    write(store, named("mm_imdb", ("image", "text")), "unimodal")
    tables = {table.about["table"]: table for table in built(load(store), QUICK)}
    assert set(tables) == {1, 4}
    assert 'table 1 of "Is the Glass Half-Empty or Half-Full?' in tables[1].caption
    assert "selection may differ" in tables[1].caption
    assert "selected on the test set" in tables[1].caption
    assert "misprint" not in tables[1].caption
    assert "Known misprints of the table: mm_imdb, late, unimodal, text, macro_f1: 61.1. Table 1 prints 60.8" in (
        tables[4].caption
    )
    assert "a table of its own" in tables[4].rows[1].cells[0].reason


def test_seeds_are_counted_for_yours_alone(store: Store) -> None:
    samples = named("mm_imdb", ("image", "text"))
    write(store, samples, "naive")
    store.write_trial(make_record(samples, "umt", seed=0))
    (table,) = built(load(store), QUICK)
    rows = {row.key: row for row in table.rows}
    shown = {
        key: [table.plain(*pair) for pair in zip(table.columns, row.cells, strict=True)] for key, row in rows.items()
    }
    assert shown["naive"][1] == "59.3"
    assert shown["umt"][0].endswith("(n=1)")
    assert shown["dropout"][:3] == ["-", "59.7", "-"]


def test_partial_rates_are_met_by_models_trained_at_them(store: Store) -> None:
    samples = named("iemocap", ("audio", "image", "text"))
    rates = {"audio": 0.3, "image": 0.3, "text": 0.3}
    write(store, samples, "mla")
    records = write(store, samples, "mla", p_train=rates)
    options = dataclasses.replace(ACCURACY, compare="mla")
    tables = {table.about["table"]: table for table in built(load(store), options)}
    table = tables[2]
    groups = [column.group for column in table.columns]
    place = groups.index("train audio 70 %, image 70 %, text 70 %; test audio 70 %, image 70 %, text 70 %")
    (row,) = [row for row in table.rows if row.key == "mla"]
    targets = samples.split("test")[1]
    expected = np.mean(
        [
            sum(
                share * (record.logits[LogitsKey("probe", pattern.key, "test")].argmax(axis=1) == targets).mean()
                for pattern, share in pattern_shares(samples.modalities, MissingRates(rates)).items()
            )
            for record in records
        ]
    )
    assert row.cells[place].value == pytest.approx(expected, abs=1e-12)
    assert set(row.cells[place].origin.trial_ids) == {record.trial_id for record in records}
    assert row.cells[place + 1].value is not None
    assert row.cells[place + 1].spread is not None
    assert [cell.value is None for cell in row.cells[::3]] == [groups[3 * one] != groups[place] for one in range(7)]
    assert table.columns[0].digits == 2
    assert "independently" in table.caption


def test_two_rates_of_training_and_testing(store: Store) -> None:
    samples = named("mm_imdb", ("image", "text"))
    write(store, samples, "u2a", p_train={"image": 0.7})
    tables = {table.about["table"]: table for table in built(load(store), dataclasses.replace(QUICK, compare="u2a"))}
    assert set(tables) == {3, 6}
    assert len(tables[6].columns) == 27
    (row,) = [row for row in tables[6].rows if row.key == "u2a"]
    assert [column.group for column, cell in zip(tables[6].columns, row.cells, strict=True) if cell.origin.seeds][
        ::2
    ] == [
        f"train image 30 %, text 100 %; test {test}"
        for test in ("image 30 %, text 100 %", "image 65 %, text 65 %", "image 100 %, text 30 %")
    ]
    assert "Table 6 prints another number" in tables[3].caption


@pytest.mark.parametrize(
    ("dataset", "modalities", "options", "words"),
    [
        ("mm_imdb", ("image", "text"), dataclasses.replace(QUICK, compare=""), r"\(--compare\)"),
        ("mm_imdb", ("image", "text"), ACCURACY, "mmpt prints no accuracy; it prints macro_f1,"),
        ("mm_imdb", ("audio", "text"), QUICK, "mmpt prints macro_f1 on .*mm_imdb \\(early, late fusion\\)"),
        ("toy", ("image", "text"), QUICK, r"it has toy of image and text \(late fusion\)"),
    ],
)
def test_nothing_to_compare_has_a_reason(
    store: Store, dataset: str, modalities: Sequence[str], options: Options, words: str
) -> None:
    write(store, named(dataset, modalities), "naive")
    assert re.search(words, reason(load(store), options))


def test_an_unknown_paper_is_refused_at_once() -> None:
    with pytest.raises(UnknownNameError, match="unknown paper 'mmp'; did you mean 'mmpt'"):
        Options(compare="mmp")
