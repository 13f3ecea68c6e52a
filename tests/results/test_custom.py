"""Metrics, tables and figures of a user's own: from a function, and from an installed package."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import balanced_accuracy_score

from results.cells import Cell, Origin
from results.counts import Counts, Doubles, Metric, ratio
from results.custom import frame_figure, frame_table
from results.data import load
from results.drawing import to_png
from results.figures import FIGURES
from results.metrics import METRICS
from results.options import Options
from results.render import to_csv, to_json, to_markdown
from results.render_html import to_html
from results.render_latex import to_latex
from results.report import build_table, write_report
from results.schema import Samples, TrialRecord
from results.store import Store
from results.table import Nothing, Table
from results.tables import TABLES
from search_spaces import catalog
from search_spaces.errors import InvalidValueError

ABOUT: Any = {"title": "Own", "caption": "Mean over trials."}


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test adds is gone after it."""
    for known in (METRICS, TABLES, FIGURES):
        monkeypatch.setattr(known, "_added", dict(known.added()))
    yield
    catalog._entry_points_of.cache_clear()


def balanced_accuracy(counts: Counts) -> Doubles:
    recalls = ratio(counts.true_positive, counts.actual)
    return ratio(np.asarray(recalls.sum(axis=-1)), np.asarray((counts.actual > 0).sum(axis=-1)))


def mean_scores(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["split"] == "test"].pivot_table(index="method", columns="label", values="value")


@pytest.fixture
def two(store: Store, samples: Samples, build_record: Callable[..., TrialRecord]) -> Store:
    store.write_samples(samples)
    for method in ("naive", "mtl"):
        store.write_trial(build_record(samples, method))
    return store


def test_a_metric_of_ones_own_is_scored_from_the_logits(two: Store) -> None:
    METRICS.add(Metric("balanced accuracy", balanced_accuracy), "balanced_accuracy")
    data = load(two)
    targets = next(iter(data.samples.values())).split("test")[1]
    rows = data.scores("test", "probe", "balanced_accuracy")
    assert len(rows) == 6
    for row in rows.itertuples():
        record = two.read_trial(str(row.trial_id))
        logits = next(
            found
            for key, found in record.logits.items()
            if (key.route, key.pattern, key.split) == ("probe", row.pattern, "test")
        )
        assert row.value == pytest.approx(balanced_accuracy_score(targets, logits.argmax(axis=1)), abs=1e-12)
    (profile,) = build_table(two, "mmpt_profile", metric="balanced_accuracy", num_resamples=20)
    assert profile.caption.startswith("Test balanced accuracy in percent")
    assert profile.rows[0].cells[0].interval is not None


def test_a_table_has_the_numbers_of_the_function(two: Store) -> None:
    build = frame_table(mean_scores, **ABOUT)
    tables = build(load(two), Options(metric="accuracy", route="head"))
    assert isinstance(tables, list)
    (table,) = tables
    rows = load(two).scores("test", "head", "accuracy")
    methods = load(two).trials["method"]
    expected = {
        (str(methods[row.trial_id]), "all" if row.pattern == "audio-image" else f"only_{row.pattern}"): row.value
        for row in rows.itertuples()
    }
    shown = {
        (row.label, column.name): cell.value
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }
    assert shown == pytest.approx(expected)
    assert table.name == "mean_scores"
    assert table.caption == "Mean over trials. Metric: accuracy. Route: head."


def test_a_function_may_see_every_score(two: Store) -> None:
    seen = {}

    def spread(frame: pd.DataFrame) -> pd.DataFrame:
        seen["routes"], seen["metrics"] = set(frame["route"]), set(frame["metric"])
        return frame.pivot_table(index="metric", columns="route", values="value")

    tables = frame_table(spread, **ABOUT, every_score=True)(load(two), Options())
    assert isinstance(tables, list)
    assert tables[0].caption == "Mean over trials."
    assert seen == {"routes": {"probe", "head"}, "metrics": set(METRICS)}


def built(made: Any, two: Store) -> Table:
    tables = frame_table(lambda _: made, **ABOUT, name="own")(load(two), Options())
    assert isinstance(tables, list)
    return tables[0]


def test_two_levels_of_columns_stand_above_each_other(two: Store) -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    table = built(pd.DataFrame([[0.5, 1.0], [0.25, 0.0]], index=index, columns=[("Data", "x"), ("Data", "y")]), two)
    assert [(column.group, column.name) for column in table.columns] == [("Data", "x"), ("Data", "y")]
    assert [row.label for row in table.rows] == ["a, 1", "b, 2"]


def test_cells_may_say_where_they_come_from(two: Store) -> None:
    cell = Cell(value=0.5, origin=Origin(trial_ids=("t1",), seeds=(0,), rule="own", route="probe", samples=3))
    table = built(pd.DataFrame({"x": [cell, None]}, index=["a", "b"]), two)
    assert table.rows[0].cells[0] is cell
    assert "trials: t1" in to_html(table)


def test_what_is_no_number_is_an_empty_cell_everywhere(two: Store) -> None:
    table = built(pd.DataFrame({"x": [0.5, float("nan"), float("inf")]}, index=["a", "b", "c"]), two)
    assert [cell.value for row in table.rows for cell in row.cells] == [0.5, None, None]
    assert all(cell.reason for row in table.rows[1:] for cell in row.cells)
    for text in (to_markdown(table), to_html(table), to_latex(table), to_json(table), to_csv(table)):
        assert "inf" in text


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (7, "int"),
        (pd.DataFrame({"x": ["many"]}, index=["a"]), r"row 'a'.*many"),
        (pd.DataFrame({"x": [[1, 2]]}, index=["a"]), r"row 'a'"),
    ],
)
def test_a_table_of_something_else_is_refused(two: Store, made: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        built(made, two)


def test_no_numbers_are_nothing(two: Store) -> None:
    made = frame_table(lambda _: pd.DataFrame(), **ABOUT)(load(two), Options())
    assert isinstance(made, Nothing)
    assert "returns no numbers" in made.reason


def test_a_figure_is_drawn_without_a_window(two: Store) -> None:
    def points(frame: pd.DataFrame) -> Figure:
        figure = Figure()
        figure.subplots().plot(frame["value"])
        return figure

    (drawing,) = frame_figure(points, **ABOUT)(load(two), Options())
    assert (drawing.name, drawing.caption) == ("points", "Mean over trials. Metric: macro F1. Route: probe.")
    assert to_png(drawing).startswith(b"\x89PNG")
    with pytest.raises(InvalidValueError, match="matplotlib Figure"):
        frame_figure(lambda _: None, **ABOUT)(load(two), Options())  # type: ignore[arg-type, return-value]


def test_added_tables_and_figures_are_in_the_report(two: Store, tmp_path: Path) -> None:
    TABLES.add(frame_table(mean_scores, **ABOUT), "my_table")
    index = write_report(two, tmp_path / "report", tables=["my_table"], figures=[])
    assert (tmp_path / "report" / "mean_scores.tex").exists()
    assert '<figure id="mean_scores">' in index.read_text()


def test_an_installed_package_brings_its_own(two: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "site" / "lab_tables.py"
    module.parent.mkdir()
    module.write_text(
        "from results import frame_table\n"
        "def by_seed(frame):\n"
        "    return frame.pivot_table(index='method', columns='seed', values='value')\n"
        "build = frame_table(by_seed, title='By seed', caption='Means.')\n"
    )
    about = module.parent / "lab_tables-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-tables\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mmpt.tables]\nlab_by_seed = lab_tables:build\n")
    monkeypatch.syspath_prepend(str(module.parent))
    catalog._entry_points_of.cache_clear()
    assert "lab_by_seed" in TABLES.names()
    (table,) = build_table(two, "lab_by_seed")
    assert [row.label for row in table.rows] == ["mtl", "naive"]
