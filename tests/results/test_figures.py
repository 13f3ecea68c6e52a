"""Figures: the numbers beside the pictures against independent computation, and the pictures themselves."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from made_up import trial_ids_in
from sklearn.metrics import f1_score

from results.data import StoreData, load
from results.drawing import Drawing, to_json, to_png, to_svg
from results.figures import FIGURES
from results.figures.learning_curves import build as learning_curves
from results.figures.per_class import build as per_class
from results.options import Options
from results.panels import blank, legend_below, line_style
from results.published import published
from results.schema import HistoryRow, LogitsKey, Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Table
from results.tables import TABLES
from search_spaces.missing_rates import TENTHS
from search_spaces.modality import Pattern

QUICK = Options(num_draws=3, num_resamples=0)
EXACT = Options(num_resamples=0, metric="accuracy")
MINE = ("best_fusion", "learning_curves", "p_test_curve", "per_class", "surface", "weakness_scatter")
Build = Callable[..., TrialRecord]


def drawn(key: str, data: StoreData, options: Options = QUICK) -> list[Drawing]:
    made = FIGURES.get(key)(data, options)
    assert isinstance(made, list)
    return made


def content(drawing: Drawing) -> list[dict[str, Any]]:
    """Return the points as the JSON file beside the picture has them."""
    points: list[dict[str, Any]] = json.loads(to_json(drawing))["points"]
    return points


def is_number(value: object) -> bool:
    return isinstance(value, float) and bool(np.isfinite(value))


@pytest.mark.parametrize("key", MINE)
def test_pictures_are_the_same_whatever_the_users_matplotlib(filled: Store, key: str) -> None:
    data = load(filled)
    plain = drawn(key, data)[0]
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "lines.linewidth": 9, "figure.dpi": 30}):
        other = drawn(key, data)[0]
        assert to_svg(plain) == to_svg(other)
    assert to_png(plain) == to_png(other)
    assert to_png(plain).startswith(b"\x89PNG")


@pytest.mark.parametrize("key", MINE)
def test_every_point_names_trials_of_the_store(filled: Store, key: str) -> None:
    data = load(filled)

    for drawing in drawn(key, data):
        assert drawing.points
        for point in content(drawing):
            named = list(trial_ids_in(point))
            assert set(named) <= set(data.trials.index)
            assert named or point["reason"]


def test_best_fusion_takes_each_pattern_from_the_best_on_validation(filled: Store) -> None:
    data = load(filled)
    (drawing,) = drawn("best_fusion", data, EXACT)
    points = [point for point in content(drawing) if point["line"] == "Best-Fusion"]
    trials = data.trials[data.trials["p_train"] == "0"]
    scores = data.scores("val", "probe", "accuracy").merge(trials.reset_index(drop=True), on="trial_id")
    full = Pattern(next(iter(data.samples.values())).modalities)
    complete = next(point for point in points if point["missing"] == full[0] and point["p_test"] == 0)
    own = scores[scores["pattern"] == full.key]
    reported = own[[full.key in text.split(",") for text in own["reports"]]]
    best = reported.groupby(["method", "config"])["value"].mean().idxmax()
    expected = reported[(reported["method"] == best[0]) & (reported["config"] == best[1])].sort_values("seed")
    assert complete["trial_ids"] == expected["trial_id"].tolist()
    assert complete["seeds"] == [0, 1]
    tested = [data.test_score(one, full.key, metric="accuracy", route="probe") for one in expected["trial_id"]]
    assert complete["values"] == pytest.approx(tested, abs=1e-12)
    title = data.title("method", best[0])
    assert f"{'Both' if len(full) == 2 else 'All'}: {title};" in drawing.caption


def test_a_curve_runs_straight_between_exact_ends(filled: Store) -> None:
    (drawing,) = drawn("p_test_curve", load(filled), EXACT)
    naive = [one for one in content(drawing) if one["line"] == "Naive" and one["missing"] == "audio"]
    assert [point["p_test"] for point in naive] == list(TENTHS)
    means = np.array([np.mean(point["values"]) for point in naive])
    assert means == pytest.approx(np.linspace(means[0], means[-1], 11), abs=1e-12)


def test_a_method_without_any_number_is_named_and_not_drawn(
    store: Store, build_samples: Callable[..., Samples], build_record: Build
) -> None:
    samples = build_samples(("audio", "image", "text"))
    store.write_samples(samples)
    store.write_trial(build_record(samples))
    store.write_trial(build_record(samples, "umt", has=[Pattern(["audio", "text"])]))
    store.write_trial(build_record(samples, "mtl", has=[Pattern(["audio"])]))
    (drawing,) = drawn("best_fusion", load(store), QUICK)
    legend = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert legend == ["Best-Fusion", "Naive", "Umt"]  # UMT predicts if all images are missing, MTL nowhere
    assert "Without any number: Mtl has no logits for" in drawing.caption
    assert "Bands" not in drawing.caption  # one seed
    umt = [point for point in content(drawing) if point["line"] == "Umt" and point["values"]]
    assert [(point["missing"], point["p_test"]) for point in umt] == [("image", 1.0)]


def test_printed_curves_stand_beside_ones_own(
    store: Store, build_samples: Callable[..., Samples], build_record: Build
) -> None:
    samples = dataclasses.replace(build_samples(("audio", "image", "text")), dataset="iemocap")
    store.write_samples(samples)
    store.write_trial(build_record(samples, "qmf"))
    options = dataclasses.replace(EXACT, compare="mla")
    (drawing,) = drawn("best_fusion", load(store), options)
    printed = [point for point in content(drawing) if point["source"] and point["values"]]
    assert {point["missing"] for point in printed} == {"all"}
    assert {point["line"] for point in printed} == {f"{name} as printed (p_train = p_test)" for name in ("QMF", "MLA")}
    rows = published("mla")
    rows = rows[(rows["table"] == 2) & (rows["method"] == "qmf")]
    own = [point["values"][0] for point in printed if point["line"].startswith("QMF")]
    assert own == rows["value"].tolist()
    assert "table 2" in drawing.caption
    assert "trained anew at each rate" in drawing.caption
    other = drawn("best_fusion", load(store), dataclasses.replace(QUICK, compare="mla"))[0]  # prints accuracy alone
    assert "No curve of this data set, fusion and metric is printed in" in other.caption


def test_the_scatter_has_the_numbers_of_the_table(filled: Store) -> None:
    data = load(filled)
    (drawing,) = drawn("weakness_scatter", data)
    (table,) = TABLES.get("weakness")(data, QUICK)  # type: ignore[misc]
    assert isinstance(table, Table)
    points = content(drawing)
    half = len(table.columns) // 2
    assert [point["weakness"]["value"] for point in points] == [cell.value for cell in table.rows[0].cells[:half]]
    assert [point["gain"]["value"] for point in points] == [cell.value for cell in table.rows[0].cells[half:]]
    # by hand: losses are 0.5, 0.75, 1.0 for the modalities in alphabetical order
    losses = [0.5, 0.75, 1.0][:half]
    others = [np.mean([loss for place, loss in enumerate(losses) if place != own]) for own in range(half)]
    expected = [loss / other for loss, other in zip(losses, others, strict=True)]
    assert [point["weakness"]["value"] for point in points] == pytest.approx(expected, abs=1e-12)


def test_a_weakness_without_a_place_on_the_axis_is_named(store: Store, samples: Samples, build_record: Build) -> None:
    store.write_samples(samples)
    for method in ("naive", "mtl"):
        record = build_record(samples, method)
        history = record.history.copy()
        history.loc[history["name"] == "probe/audio/train_loss", "value"] = 0.0
        store.write_trial(dataclasses.replace(record, history=history))
    (drawing,) = drawn("weakness_scatter", load(store))
    reasons = {point["modality"]: point["reason"] for point in content(drawing)}
    assert "a score of 0 has no place" in reasons["audio"]
    assert "practically zero" in reasons["image"]
    assert "Not drawn: Toy Data, late fusion, modality audio" in drawing.caption
    assert to_png(drawing)


def history(losses: list[float], scores: list[float], term: str = "joint") -> pd.DataFrame:
    rows = [HistoryRow(epoch, f"train/{term}", value, 5) for epoch, value in enumerate(losses, 1)]
    rows += [HistoryRow(epoch, "val/macro_f1", value) for epoch, value in enumerate(scores, 1)]
    return pd.DataFrame([*rows, HistoryRow(None, "seconds/total", 1.0)], columns=HistoryRow._fields)


def test_learning_curves_end_with_the_first_seed_to_stop(store: Store, samples: Samples, build_record: Build) -> None:
    store.write_samples(samples)
    curves = {0: ([2.0, 1.0, 0.5], [0.2, 0.4, 0.5]), 1: ([1.5, 0.5], [0.3, 0.6])}
    for seed, (losses, scores) in curves.items():
        store.write_trial(dataclasses.replace(build_record(samples, seed=seed), history=history(losses, scores)))
    other = dataclasses.replace(build_record(samples, "mtl"), history=history([3.0], [0.1], "heads"))
    store.write_trial(other)
    store.write_trial(build_record(samples, "unimodal", has=[Pattern(["audio"])], method_params={"modality": "audio"}))
    (drawing,) = drawn("learning_curves", load(store))
    found = {(point["method"], point["name"], point["epoch"]): point["values"] for point in content(drawing)}
    assert found == {
        ("naive", "train/joint", 1): [2.0, 1.5],
        ("naive", "train/joint", 2): [1.0, 0.5],
        ("naive", "val/macro_f1", 1): [0.2, 0.3],
        ("naive", "val/macro_f1", 2): [0.4, 0.6],
        ("mtl", "train/heads", 1): [3.0],
        ("mtl", "val/macro_f1", 1): [0.1],
    }
    assert "Another term is shown of Mtl: train/heads." in drawing.caption
    assert "Not shown, for want of such trials: Unimodal." in drawing.caption
    (line, _) = drawing.figure.axes[0].lines
    assert np.asarray(line.get_ydata()) == pytest.approx([1.75, 0.75])


def test_f1_per_class_is_that_of_scikit_learn(filled: Store) -> None:
    data = load(filled)
    (drawing,) = drawn("per_class", data)
    (samples,) = data.samples.values()
    _, targets = samples.split("test")
    points = content(drawing)
    trial_ids = points[0]["trial_ids"]
    assert set(trial_ids) == {"nothing", *samples.modalities}
    for missing, trials in trial_ids.items():
        pattern = Pattern([name for name in samples.modalities if name != missing])
        for seed, trial_id in enumerate(trials):
            logits = data.record(trial_id).logits[LogitsKey("probe", pattern.key, "test")]
            predicted = (logits > 0).astype(int) if samples.multi_label else logits.argmax(axis=1)
            labels = None if samples.multi_label else range(len(samples.class_names))
            expected = f1_score(targets, predicted, average=None, labels=labels, zero_division=0)
            by_class = {point["class"]: point["f1_without"][missing][seed] for point in points}
            assert [by_class[name] for name in samples.class_names] == pytest.approx(expected, abs=1e-12)
    drops = [
        max(np.mean(point["f1_without"]["nothing"]) - np.mean(found) for name, found in point["f1_without"].items())
        for point in points
    ]
    assert drops == sorted(drops, reverse=True)


def test_many_classes_are_shortened_and_absent_ones_named(
    store: Store, build_samples: Callable[..., Samples], build_record: Build
) -> None:
    samples = build_samples(num_classes=60)
    store.write_samples(samples)
    store.write_trial(build_record(samples))
    (drawing,) = drawn("per_class", load(store))
    _, targets = samples.split("test")
    assert len(drawing.points) == len(set(targets.tolist()))
    upper, lower = drawing.figure.axes
    assert [len(panel.get_yticks()) for panel in (upper, lower)] == [15, 15]
    shown = [text.get_text() for panel in (upper, lower) for text in panel.get_yticklabels()]
    classes = [point["class"] for point in content(drawing)]
    assert shown == [*classes[:15], *classes[-15:]]
    assert f"of {len(classes)}; the JSON file has all of them" in drawing.caption
    assert "Without a test sample" in drawing.caption


def test_per_class_needs_a_method_that_predicts_without_any_modality(
    store: Store, samples: Samples, build_record: Build
) -> None:
    store.write_samples(samples)
    store.write_trial(build_record(samples, has=[Pattern(samples.modalities)]))
    built = per_class(load(store), QUICK)
    assert isinstance(built, Nothing)
    assert "predicts with any one modality missing" in built.reason


def test_learning_curves_need_epochs(store: Store, samples: Samples, build_record: Build) -> None:
    store.write_samples(samples)
    store.write_trial(dataclasses.replace(build_record(samples), history=history([], [])))
    built = learning_curves(load(store), QUICK)
    assert isinstance(built, Nothing)
    assert "that has epochs" in built.reason


def test_a_surfaces_points_are_its_cells(filled: Store) -> None:
    drawing = drawn("surface", load(filled), EXACT)[0]
    points = content(drawing)
    assert {point["p_train"] for point in points if point["train"] == "audio"} == {0.0, 0.3, 0.6}
    panel = drawing.figure.axes[0]
    texts = [text.get_text() for text in panel.texts]
    first = [point for point in points if (point["train"], point["test"]) == ("audio", "audio")]
    assert texts == [f"{100 * np.mean(point['values']):.1f}".replace("100.0", "100") for point in first]
    assert all(is_number(value) for point in points for value in point["values"])


@pytest.mark.parametrize("key", MINE)
def test_nothing_overlaps(filled: Store, key: str) -> None:
    for drawing in drawn(key, load(filled)):
        figure = drawing.figure
        figure.canvas.draw()
        boxes = [panel.get_tightbbox() for panel in figure.axes]
        boxes += [legend.get_window_extent() for legend in figure.legends]
        for place, box in enumerate(boxes):
            assert box is not None
            assert box.x0 >= -1
            assert box.y0 >= -1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y1 <= figure.bbox.y1 + 1
            assert not any(other is not None and box.overlaps(other) for other in boxes[place + 1 :])


def test_lines_differ_in_colour_and_dashes_up_to_24() -> None:
    looks = [line_style(index) for index in range(24)]
    assert len({(look["color"], look["linestyle"]) for look in looks}) == 24
    assert len({look["marker"] for look in looks[:8]}) == 8


def test_a_long_legend_takes_more_rows() -> None:
    figure, ((panel,),) = blank(1, width=3.5)
    for index in range(9):
        panel.plot([0], [0], label=f"a method with a long name {index}")
    legend_below(figure)
    figure.canvas.draw()
    assert figure.legends[0].get_window_extent().width <= figure.bbox.width
