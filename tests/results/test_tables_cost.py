"""Tables of what hyperparameters do and of what methods cost."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from results.data import from_sources, load
from results.options import Options
from results.schema import LogitsKey, Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Row, Table
from results.tables import TABLES
from search_spaces.modality import Pattern

QUICK = Options(num_draws=8, num_resamples=0)
GIBIBYTE = 2**30


def tables(store: Store, name: str, options: Options = QUICK) -> list[Table]:
    built = TABLES.get(name)(load(store), options)
    assert isinstance(built, list)
    return built


def nothing(store: Store, name: str, options: Options = QUICK) -> str:
    built = TABLES.get(name)(load(store), options)
    assert isinstance(built, Nothing)
    return built.reason


def score(record: TrialRecord, samples: Samples, pattern: Pattern, split: str) -> float:
    logits = record.logits[LogitsKey("probe", pattern.key, split)]
    _, targets = samples.split(split)
    chosen = logits > 0 if samples.multi_label else logits.argmax(axis=1)
    return float(f1_score(targets, chosen, average="macro", zero_division=0))


def row_named(table: Table, label: str) -> Row:
    (row,) = [row for row in table.rows if row.label == label]
    return row


@pytest.fixture(params=[2, 3], ids=["two modalities", "three modalities"])
def own(request: pytest.FixtureRequest, build_samples: Callable[..., Samples], store: Store) -> Samples:
    samples = build_samples(("audio", "image", "text")[: request.param])
    store.write_samples(samples)
    return samples


# What hyperparameters do.


def profile(samples: Samples) -> list[Pattern]:
    return [Pattern(samples.modalities), *(Pattern([name]) for name in samples.modalities)]


def test_every_value_shows_its_best_configuration_on_validation(own: Samples, store: Store, build_record: Any) -> None:
    records: dict[tuple[float, int, float], list[TrialRecord]] = {
        (rate, size, weight): [
            build_record(own, "mtl", seed=seed, learning_rate=rate, batch_size=size, method_params={"weight": weight})
            for seed in (0, 1)
        ]
        for rate, size, weight in product((1e-2, 1e-3), (16, 128), (0.5, 1.0))
        if (rate, size) != (1e-2, 128)
    }
    for record in [record for both in records.values() for record in both]:
        store.write_trial(record)
    (table,) = tables(store, "ablation")
    assert table.name == "ablation_mtl_late"
    values = {"batch_size": (1, (16, 128)), "learning_rate": (0, (1e-3, 1e-2)), "method.weight": (2, (0.5, 1.0))}
    labels = [f"{axis} = {value}" for axis, (_, found) in values.items() for value in found]
    assert [row.label for row in table.rows] == ["selected", *labels]

    def best(pattern: Pattern, keys: Collection[tuple[float, int, float]]) -> tuple[float, set[str]]:
        validation = {key: np.mean([score(one, own, pattern, "val") for one in records[key]]) for key in keys}
        chosen = records[max(validation, key=lambda key: validation[key])]
        return float(np.mean([score(one, own, pattern, "test") for one in chosen])), {one.trial_id for one in chosen}

    for place, pattern in enumerate(profile(own)):
        expected = {"selected": best(pattern, records)}
        for axis, (position, found) in values.items():
            for value in found:
                expected[f"{axis} = {value}"] = best(pattern, [key for key in records if key[position] == value])
        for label, (value, trial_ids) in expected.items():
            cell = row_named(table, label).cells[place]
            assert cell.value == pytest.approx(value, abs=1e-9)
            assert set(cell.origin.trial_ids) == trial_ids
        for axis, (_, found) in values.items():
            cells = [row_named(table, f"{axis} = {value}").cells[place] for value in found]
            assert [cell.best for cell in cells] == [
                cell.value == max(one.value or 0 for one in cells) for cell in cells
            ]
        assert not table.rows[0].cells[place].best
    assert "all other hyperparameters free" in table.caption


def test_the_selection_rule_holds_within_a_value(own: Samples, store: Store, build_record: Any) -> None:
    full, *singles = profile(own)
    records = {}
    for rate, weight in product((1e-2, 1e-3), (0.5, 1.0, 2.0)):
        records[rate, weight] = build_record(own, "mtl", learning_rate=rate, method_params={"weight": weight})
        store.write_trial(records[rate, weight])
    (table,) = tables(store, "ablation", replace(QUICK, rule="best_full"))
    for rate in (1e-2, 1e-3):
        same = [record for (own_rate, _), record in records.items() if own_rate == rate]
        chosen = max(same, key=lambda one: score(one, own, full, "val"))
        cells = row_named(table, f"learning_rate = {rate}").cells
        assert {cell.origin.trial_ids for cell in cells} == {(chosen.trial_id,)}
        assert len(cells) == 1 + len(singles)
    assert "best_full" in table.caption


def test_which_modality_a_trial_is_for_is_no_hyperparameter(own: Samples, store: Store, build_record: Any) -> None:
    for name in own.modalities:
        expert = build_record(own, "unimodal", has=[Pattern([name])], method_params={"modality": name})
        store.write_trial(expert)
    assert nothing(store, "ablation") == "no method has several configurations at one p_train"
    for name in own.modalities:
        params = {"modality": name}
        store.write_trial(
            build_record(own, "unimodal", has=[Pattern([name])], method_params=params, learning_rate=1e-2)
        )
    (table,) = tables(store, "ablation")
    assert [row.label.split(" = ")[0] for row in table.rows] == ["selected", "learning_rate", "learning_rate"]
    assert table.rows[1].cells[0].value is None
    assert table.rows[1].cells[0].reason == (
        f"no finished trial with {table.rows[1].label} stands for {' and '.join(own.modalities)}"
    )
    assert all(cell.value is not None for row in table.rows for cell in row.cells[1:])


def test_imputation_and_fixed_hyperparameters_have_no_ablation(own: Samples, store: Store, build_record: Any) -> None:
    for source in ("naive", "best"):
        store.write_trial(build_record(own, "vae_imputation", method_params={"source": source}))
    assert nothing(store, "ablation") == "no method has several configurations at one p_train"
    store.write_trial(build_record(own, "naive", learning_rate=1e-2))
    store.write_trial(build_record(own, "naive", learning_rate=1e-3))
    fixed = replace(QUICK, rule="fixed", fixed=(("learning_rate", 1e-2), ("method.source", "best")))
    assert nothing(store, "ablation", fixed) == "hyperparameters were fixed beforehand"


def test_training_availabilities_and_fusions_are_kept_apart(own: Samples, store: Store, build_record: Any) -> None:
    for rate, rates, fusion in product((1e-2, 1e-3), ({}, {"audio": 0.5}), ("early", "late")):
        store.write_trial(build_record(own, "naive", learning_rate=rate, p_train=rates, fusion=fusion))
    store.write_trial(build_record(own, "naive", learning_rate=1e-2, p_train={"image": 0.5}))
    early, late = tables(store, "ablation")
    where = f"audio 50 %, {', '.join(f'{name} 100 %' for name in own.modalities[1:])}"
    expected = [
        f"{label}, trained on {trained}"
        for trained in ("complete", where)
        for label in ("selected", "learning_rate = 0.001", "learning_rate = 0.01")
    ]
    assert [row.label for row in early.rows] == [row.label for row in late.rows] == expected
    ids = [
        {key for row in table.rows for cell in row.cells for key in cell.origin.trial_ids} for table in (early, late)
    ]
    assert not ids[0] & ids[1]
    assert [len(found) for found in ids] == [4, 4]


def test_a_data_set_without_a_value_says_so(
    store: Store, build_samples: Callable[..., Samples], build_record: Any
) -> None:
    two, three = build_samples(), build_samples(("audio", "image", "text"))
    for samples, rates in ((two, (1e-2, 1e-3)), (three, (1e-2,))):
        store.write_samples(samples)
        for rate in rates:
            record = build_record(samples, "naive", learning_rate=rate)
            store.write_trial(replace(record, trial_id=f"{len(samples.modalities)}{rate:g}".ljust(16, "0")))
    (table,) = tables(store, "ablation")
    assert [column.group for column in table.columns] == ["Toy Data [data2s00]"] * 3 + ["Toy Data [data3s00]"] * 4
    lower, higher = (row_named(table, f"learning_rate = {rate}") for rate in (1e-3, 1e-2))
    assert all(cell.value is None for cell in lower.cells[3:])
    assert lower.cells[4].reason == "no finished trial with learning_rate = 0.001 stands for audio"
    selected = row_named(table, "selected")
    assert [cell.value for cell in higher.cells[3:]] == [cell.value for cell in selected.cells[3:]]


class ManyConfigurations:
    """Scores of one method in thousands of configurations, without logits; see `results.sources.Source`."""

    place = "made up"
    corrupt: Mapping[str, str] = {}

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        keys = [pattern.key for pattern in profile(samples)]
        axes = [
            {"learning_rate": rate, "batch_size": size, "method.weight": weight, "epochs": 10}
            for rate, size, weight in product(np.arange(1, 41).tolist(), range(25), range(20))
        ]
        number = len(axes)
        constant = {"dataset": "toy", "fusion": "late", "p_train": "0", "missing": "independent", "method": "mtl"}
        self.trials = pd.DataFrame(
            {
                "trial_id": [f"t{place}" for place in range(number)],
                "config": [f"c{place}" for place in range(number)],
                **{name: [value] * number for name, value in constant.items()},
                "fingerprint": [samples.fingerprint] * number,
                "seed": [0] * number,
                "reports": [",".join(keys)] * number,
                "axes": [json.dumps({**constant, **one}) for one in axes],
                "titles": ["{}"] * number,
                "provenance": ["{}"] * number,
            }
        )
        random = np.random.default_rng(0)
        about = {"route": "probe", "metric": "macro_f1"}
        self._scores = pd.concat(
            self.trials[["trial_id"]].assign(split=split, pattern=key, value=random.random(number), **about)
            for split, key in product(("val", "test"), keys)
        )

    def samples(self, fingerprint: str) -> Samples:
        assert fingerprint == self._samples.fingerprint
        return self._samples

    def scores(self, split: str | None, route: str | None, metric: str | None) -> pd.DataFrame:
        assert (route, metric) == ("probe", "macro_f1")
        return self._scores[self._scores["split"] == split]

    def facts(self, trial_ids: Collection[str]) -> pd.DataFrame:
        return pd.DataFrame(columns=["trial_id", "name", "value"])

    def record(self, trial_id: str) -> NoReturn:
        raise AssertionError(f"{trial_id}: no history is needed")

    def logits(self, trial_id: str) -> NoReturn:
        raise AssertionError(f"{trial_id}: no logits are needed")


def test_twenty_thousand_configurations_are_taken_apart_at_once(
    build_samples: Callable[..., Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ManyConfigurations(build_samples())
    data = from_sources([source])
    TABLES.get("test_missing")(data, QUICK)  # selects, as every table of a report has
    grouped, calls = pd.DataFrame.groupby, []

    def counted(*args: Any, **named: Any) -> Any:
        calls.append(named)
        return grouped(*args, **named)

    monkeypatch.setattr(pd.DataFrame, "groupby", counted)
    built = TABLES.get("ablation")(data, QUICK)
    assert isinstance(built, list)
    (table,) = built
    assert len(data.axes) == 20_000
    assert len(table.rows) == 1 + 40 + 25 + 20
    assert len(calls) < 10  # one selection for all values
    validation = source.scores("val", "probe", "macro_f1").pivot_table(
        index="trial_id", columns="pattern", values="value"
    )
    for value in (1, 40):
        mine = [
            key
            for key, one in zip(data.trials["trial_id"], data.trials["config"], strict=True)
            if data.axes[one]["learning_rate"] == value
        ]
        cells = row_named(table, f"learning_rate = {value}").cells
        expected = [(validation.loc[mine, pattern.key].idxmax(),) for pattern in profile(build_samples())]
        assert [cell.origin.trial_ids for cell in cells] == expected


# What methods cost.


def with_facts(record: TrialRecord, **facts: float) -> TrialRecord:
    rows = record.history[record.history["name"] != "seconds/total"]
    more = [(None, name.replace("__", "/"), value, None) for name, value in facts.items()]
    return replace(record, history=pd.concat([rows, pd.DataFrame(more, columns=rows.columns)], ignore_index=True))


def costly(total: float, seconds: float, memory: float = 0) -> dict[str, float]:
    facts = {"parameters__total": total * 1e6, "parameters__trainable": total * 1e5, "seconds__total": seconds}
    return facts | ({"memory__peak_bytes": memory * GIBIBYTE} if memory else {})


def test_costs_are_those_of_all_models_behind_a_profile(own: Samples, store: Store, build_record: Any) -> None:
    number = len(own.modalities)
    naive = []
    for seed in (0, 1):
        naive.append(build_record(own, "naive", seed=seed))
        store.write_trial(with_facts(naive[-1], **costly(196, 100 + 20 * seed, memory=8 + 2 * seed)))
        for place, name in enumerate(own.modalities):
            expert = build_record(own, "unimodal", seed=seed, has=[Pattern([name])], method_params={"modality": name})
            store.write_trial(with_facts(expert, **costly(50 + place, 10 * (place + 1), memory=place + 1)))
    (table,) = tables(store, "params_and_cost")
    assert [row.label for row in table.rows] == ["Naive", "Unimodal"]
    total, trainable, seconds, memory, trials, points = row_named(table, "Naive").cells
    shown = [table.plain(*pair) for pair in zip(table.columns, row_named(table, "Naive").cells, strict=True)]
    assert shown[:5] == ["196.00", "19.60", "110.0 ± 14.1", "9.00 ± 1.41", "1"]
    assert total.value == pytest.approx(196, abs=1e-9)
    assert trainable.value == pytest.approx(19.6, abs=1e-9)
    assert (seconds.value, memory.value, trials.value) == (110, 9, 1)
    assert points.value == pytest.approx(
        np.mean([score(one, own, Pattern(own.modalities), "test") for one in naive]), abs=1e-9
    )
    assert points.best
    assert not total.best
    experts = row_named(table, "Unimodal").cells
    assert experts[0].value == pytest.approx(sum(50 + place for place in range(number)), abs=1e-9)
    assert experts[1].value == pytest.approx(sum(5 + place / 10 for place in range(number)), abs=1e-9)
    assert experts[2].value == pytest.approx(np.mean([10 * (place + 1) for place in range(number)]), abs=1e-9)
    assert (experts[3].value, experts[4].value) == (number, number)
    assert len(experts[0].origin.trial_ids) == 2 * number
    assert experts[5].reason.startswith("Unimodal on toy: none of its trials predicts from audio and image")
    assert "summed up" in table.caption
    assert "teachers" in table.caption


def test_one_model_counts_once_however_many_configurations_were_chosen(
    own: Samples, store: Store, build_record: Any
) -> None:
    for place in range(12):
        record = build_record(own, "naive", learning_rate=10.0**-place)
        store.write_trial(with_facts(record, **costly(1, 1)))
    (profile_table,) = tables(store, "mmpt_profile")
    chosen = {cell.origin.trial_ids for cell in profile_table.rows[0].cells}
    assert len(chosen) > 1
    (table,) = tables(store, "params_and_cost")
    total, *_, trials, _ = table.rows[0].cells
    assert (total.value, trials.value) == (1, 1)
    assert total.origin.trial_ids == profile_table.rows[0].cells[0].origin.trial_ids


def test_what_was_not_recorded_has_a_reason(own: Samples, store: Store, build_record: Any) -> None:
    store.write_trial(with_facts(build_record(own, "naive", seed=0), **costly(10, 5, memory=3)))
    store.write_trial(with_facts(build_record(own, "naive", seed=1), **costly(10, 5)))
    store.write_trial(with_facts(build_record(own, "mtl"), **costly(10, 5)))
    (table,) = tables(store, "params_and_cost")
    naive, mtl = (row_named(table, name).cells for name in ("Naive", "Mtl"))
    assert table.plain(table.columns[3], naive[3]) == "3.00 (n=1)"
    assert mtl[3].reason == "memory/peak_bytes was not recorded"
    assert "not recorded on the CPU" in table.caption


def test_experts_without_a_common_seed_have_no_costs(own: Samples, store: Store, build_record: Any) -> None:
    for place, name in enumerate(own.modalities):
        expert = build_record(own, "unimodal", seed=place, has=[Pattern([name])], method_params={"modality": name})
        store.write_trial(with_facts(expert, **costly(10, 5)))
    (table,) = tables(store, "params_and_cost")
    assert {cell.reason for cell in table.rows[0].cells[:5]} == {
        "Unimodal on toy: no seed has all trials of the profile"
    }


def test_costs_are_of_training_on_complete_data(own: Samples, store: Store, build_record: Any) -> None:
    store.write_trial(build_record(own, "naive", p_train={"audio": 0.5}))
    assert nothing(store, "params_and_cost") == "no finished trial with p_train = 0"
