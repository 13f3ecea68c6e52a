"""Leaderboard, comparison, Best-Fusion's table and the critical-difference diagram, against numbers computed anew."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from made_up import make_record, make_samples
from scipy.stats import friedmanchisquare, studentized_range
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_table

from results.data import StoreData, load
from results.drawing import Drawing, to_svg
from results.figures import FIGURES
from results.options import Options
from results.schema import LogitsKey, Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Row, Table
from results.tables import TABLES

SKILLS = {"naive": 0.6, "mtl": 0.9, "dropout": 1.0, "umt": 1.6}
TWO, THREE = ("audio", "image"), ("audio", "image", "text")
QUICK = Options(num_draws=2, num_resamples=0)
RESAMPLED = dataclasses.replace(QUICK, num_resamples=60)


def version(number: int, modalities: Sequence[str] = TWO, dataset: str = "") -> Samples:
    return dataclasses.replace(
        make_samples(modalities), dataset=dataset or f"set_{number}", fingerprint=f"{number:08d}" + "0" * 8
    )


def write(
    store: Store, samples: Samples, skills: Mapping[str, float], *, seeds: Sequence[int] = (0, 1), fusion: str = "late"
) -> dict[tuple[str, int], TrialRecord]:
    store.prepare()
    store.write_samples(samples)
    records = {
        (method, seed): make_record(samples, method, seed=seed, skill=skill, fusion=fusion)
        for method, skill in skills.items()
        for seed in seeds
    }
    for record in records.values():  # the data are part of a real trial's identity
        store.write_trial(dataclasses.replace(record, trial_id=samples.fingerprint[:8] + record.trial_id[:8]))
    return records


def three_data_sets(store: Store) -> StoreData:
    for number, modalities in enumerate((TWO, THREE, TWO)):
        write(store, version(number, modalities), SKILLS)
    return load(store)


def built(name: str, data: StoreData, options: Options = QUICK) -> list[Table]:
    tables = TABLES.get(name)(data, options)
    assert isinstance(tables, list)
    return tables


def drawn(data: StoreData) -> list[Drawing]:
    drawings = FIGURES.get("critical_difference")(data, QUICK)
    assert isinstance(drawings, list)
    return drawings


def score_table(data: StoreData, *, single: bool) -> pd.DataFrame:
    """Return mean test scores, (data sets, methods); every method has one configuration."""
    rows = data.scores("test", "probe", "macro_f1").merge(
        data.trials[["dataset", "method", "trial_id"]].reset_index(drop=True)
    )
    sizes = rows["pattern"].str.count("-")
    wanted = sizes == (0 if single else sizes.groupby(rows["dataset"]).transform("max"))
    return rows[wanted].pivot_table(index="dataset", columns="method", values="value", aggfunc="mean")


def by_key(table: Table) -> dict[str, Row]:
    return {row.key: row for row in table.rows}


@pytest.mark.parametrize(("kind", "single"), [("all", False), ("single", True)])
def test_leaderboard_ranks_methods_over_data_sets(store: Store, kind: str, *, single: bool) -> None:
    data = three_data_sets(store)
    (table,) = [table for table in built("leaderboard", data) if table.name == f"leaderboard_late_{kind}"]
    scores = score_table(data, single=single)
    ranks = scores.rank(axis=1, ascending=False).mean()
    assert len(scores) == 3
    for row in table.rows:
        rank, score, datasets, wins = (cell.value for cell in row.cells)
        assert rank == pytest.approx(ranks[row.key], abs=1e-12)
        assert score == pytest.approx(scores[row.key].mean(), abs=1e-12)
        assert datasets == 3
        assert wins == (scores[row.key] == scores.max(axis=1)).sum()
        assert {len(cell.origin.trial_ids) for cell in row.cells} == {6}
        assert row.cells[0].origin.samples == 180
    assert [row.cells[0].value for row in table.rows] == sorted(ranks)
    p_value = friedmanchisquare(*scores.to_numpy().T).pvalue
    distance = studentized_range.ppf(0.95, 4, np.inf) / np.sqrt(2) * np.sqrt(4 * 5 / (6 * 3))
    assert table.about["friedman_p"] == pytest.approx(p_value, rel=1e-9)
    assert table.about["critical_difference"] == pytest.approx(distance, rel=1e-9)
    assert f"p = {p_value:.3g}" in table.caption
    assert f"{distance:.3f} or more apart" in table.caption


def test_a_data_set_counts_once_by_its_version_with_the_most_trials(store: Store) -> None:
    write(store, version(0), SKILLS)
    write(store, version(1, dataset="set_0"), SKILLS, seeds=(0, 1, 2))
    write(store, version(2), SKILLS)
    table = built("leaderboard", load(store))[0]
    assert table.about["fingerprints"] == {"set_0": "00000001" + "0" * 8, "set_2": "00000002" + "0" * 8}
    assert "counts by its version 00000001, which has the most trials, and not by 00000000" in table.caption
    assert {row.cells[2].value for row in table.rows} == {2}
    assert {len(row.cells[0].origin.trial_ids) for row in table.rows} == {5}


def test_what_is_unfinished_takes_nothing_else_out_of_the_ranking(store: Store) -> None:
    three_data_sets(store)
    write(store, version(3), {"naive": 1.0})
    write(store, version(0), {"new": 3.0})
    data = load(store)
    table = built("leaderboard", data)[0]
    rows = by_key(table)
    assert list(rows)[-1] == "new"
    assert [cell.value for cell in rows["new"].cells] == [None, None, 1, None]
    assert "New has no score on" in rows["new"].cells[0].reason
    assert rows["new"].rule
    assert table.about["datasets"] == ("set_0", "set_1", "set_2")
    assert "Left out, since a ranked method has no score there" in table.caption
    ranks = score_table(data, single=False).loc[["set_0", "set_1", "set_2"], list(SKILLS)].rank(axis=1, ascending=False)
    assert {key: row.cells[0].value for key, row in rows.items() if key != "new"} == pytest.approx(
        ranks.mean().to_dict()
    )


def test_one_data_set_is_ranked_without_a_test(store: Store) -> None:
    write(store, version(0), SKILLS)
    data = load(store)
    table = built("leaderboard", data)[0]
    assert [row.cells[0].value for row in table.rows] == [1, 2, 3, 4]
    assert "No test of the ranks: a test needs at least 2 data sets" in table.caption
    assert table.about["friedman_p"] is None
    nothing = FIGURES.get("critical_difference")(data, QUICK)
    assert isinstance(nothing, Nothing)
    assert "late fusion: a test needs at least 2 data sets" in nothing.reason


def test_critical_difference_diagram_shows_the_ranks(store: Store) -> None:
    data = three_data_sets(store)
    (drawing,) = drawn(data)
    ranks = score_table(data, single=False).rank(axis=1, ascending=False).mean()
    assert {str(point["method"]): point["average_rank"] for point in drawing.points} == pytest.approx(ranks.to_dict())
    words = [text.get_text() for text in drawing.figure.axes[0].texts]
    for method, rank in ranks.items():
        assert f"{str(method).title()}  {rank:.2f}" in words
    assert "Best on the left" in drawing.caption
    distance = drawing.points[0]["critical_difference"]
    assert f"critical difference {distance:.2f}" in words
    bars = [line.get_xdata() for line in drawing.figure.axes[0].lines if line.get_linewidth() == 3]
    ends = sorted(ranks)
    assert len(bars) == len({group for point in drawing.points for group in point["alike"]}) > 0
    assert all((bar[1] - bar[0]) * 3 < distance + 0.06 for bar in bars)
    assert min(bar[0] for bar in bars) >= (ends[0] - 1) / 3 - 0.01
    assert to_svg(drawing) == to_svg(drawn(data)[0])


def exact_f1(record: TrialRecord, samples: Samples, pattern: str) -> float:
    predicted = record.logits[LogitsKey("probe", pattern, "test")].argmax(axis=1)
    return float(f1_score(samples.split("test")[1], predicted, average="macro"))


def test_comparison_with_naive_on_common_seeds(store: Store) -> None:
    samples = version(0)
    records = write(store, samples, {"naive": 0.6, "mtl": 0.9}, seeds=(0, 1, 2))
    records |= write(store, samples, {"umt": 1.6}, seeds=(1, 2, 3))
    write(store, samples, {"dropout": 1.0}, seeds=(7,))
    (table,) = built("comparison", load(store), RESAMPLED)
    rows = by_key(table)
    assert [column.name for column in table.columns] == ["Difference", "p (Holm)"] * 3
    assert [column.group for column in table.columns][::2] == ["Both", "Audio", "Image"]
    assert set(rows) == {"mtl", "umt", "dropout"}
    for method, seeds in {"mtl": (0, 1, 2), "umt": (1, 2)}.items():
        for place, pattern in enumerate(("audio-image", "audio", "image")):
            cell = rows[method].cells[2 * place]
            differences = [
                exact_f1(records[method, seed], samples, pattern) - exact_f1(records["naive", seed], samples, pattern)
                for seed in seeds
            ]
            assert cell.value == pytest.approx(np.mean(differences), abs=1e-12)
            assert cell.origin.seeds == seeds
            assert cell.interval is not None
            assert cell.interval.low < cell.value < cell.interval.high
    assert all(cell.value is None and "no training seed in common" in cell.reason for cell in rows["dropout"].cells)
    assert "paired bootstrap over test samples and seeds" in table.caption
    assert "the table's 6 tests" in table.caption


def test_p_values_are_mcnemars_corrected_over_the_table(store: Store) -> None:
    samples = version(0)
    records = write(store, samples, {"naive": 0.6, "mtl": 0.9, "umt": 1.6}, seeds=(0,))
    (table,) = built("comparison", load(store), dataclasses.replace(RESAMPLED, metric="accuracy"))
    targets = samples.split("test")[1]
    right = {
        (method, pattern): records[method, 0].logits[LogitsKey("probe", pattern, "test")].argmax(axis=1) == targets
        for method in ("naive", "mtl", "umt")
        for pattern in ("audio-image", "audio", "image")
    }
    raw = []
    for (method, pattern), own in right.items():
        if method != "naive":
            cross = pd.crosstab(own, right["naive", pattern]).reindex([True, False], axis=0)
            cross = cross.reindex([True, False], axis=1).fillna(0).to_numpy()
            few = cross[0, 1] + cross[1, 0] < 25
            raw.append(mcnemar_of_table(cross, exact=few, correction=False).pvalue)
    order = np.argsort(raw)
    stepped = np.maximum.accumulate([(len(raw) - place) * raw[index] for place, index in enumerate(order)])
    expected = dict(zip(order.tolist(), np.minimum(stepped, 1), strict=True))
    found = [row.cells[place].value for row in table.rows for place in (1, 3, 5)]
    assert found == pytest.approx([expected[place] for place in range(6)], rel=1e-9)
    assert "McNemar" in table.caption


def test_without_naive_the_best_on_validation_is_the_reference(store: Store) -> None:
    write(store, version(0), {"mtl": 0.6, "umt": 2.5})
    (table,) = built("comparison", load(store), RESAMPLED)
    rows = by_key(table)
    assert "the method that is best on validation, since there is no naive training (Both: Umt;" in table.caption
    assert rows["mtl"].cells[0].value is not None
    assert rows["mtl"].cells[0].value < 0
    assert "Umt is what the others are compared with" in rows["umt"].cells[0].reason


def test_no_comparison_has_a_reason(store: Store) -> None:
    write(store, version(0), {"naive": 1.0})
    data = load(store)
    for options, reason in ((QUICK, "--resamples"), (RESAMPLED, "no data set and fusion with two methods")):
        nothing = TABLES.get("comparison")(data, options)
        assert isinstance(nothing, Nothing)
        assert reason in nothing.reason


@pytest.mark.parametrize("modalities", [TWO, THREE], ids=len)
def test_best_fusion_names_the_best_on_validation(store: Store, modalities: Sequence[str]) -> None:
    samples = version(0, modalities)
    write(store, samples, SKILLS)
    write(store, samples, {"naive": 1.0, "umt": 1.1}, fusion="early")
    data = load(store)
    (table,) = built("best_fusion", data)
    assert [row.label for row in table.rows] == [
        "Late fusion", "Early fusion", "Overall", "Naive, early fusion", "Naive, late fusion"
    ]  # fmt: skip
    keys = ["-".join(modalities), *modalities]
    assert len(table.columns) == 2 * len(keys)
    about = data.trials[["fusion", "method", "trial_id"]].reset_index(drop=True)
    validation = data.scores("val", "probe", "macro_f1").merge(about)
    test = data.scores("test", "probe", "macro_f1").merge(about)
    for row, fusions in zip(table.rows, (["late"], ["early"], ["early", "late"]), strict=False):
        for place, key in enumerate(keys):
            own = validation[validation["fusion"].isin(fusions) & (validation["pattern"] == key)]
            fusion, method = own.groupby(["fusion", "method"])["value"].mean().idxmax()
            name, score = row.cells[2 * place : 2 * place + 2]
            assert name.text == method.title() + f" ({fusion})" * (len(fusions) > 1)
            picked = test[(test["fusion"] == fusion) & (test["method"] == method) & (test["pattern"] == key)]
            assert score.value == pytest.approx(picked["value"].mean(), abs=1e-12)
            assert set(score.origin.trial_ids) == set(picked["trial_id"]) == set(name.origin.trial_ids)
    assert "does best with it on validation" in table.caption
