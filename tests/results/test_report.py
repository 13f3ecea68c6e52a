"""Every table and figure, the page, and what happens to empty or damaged stores."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from results.curves import curve
from results.data import load
from results.drawing import to_png, to_svg
from results.figures import FIGURES
from results.options import Options
from results.render import to_csv, to_json, to_markdown
from results.render_html import to_html
from results.render_latex import escape, to_latex
from results.report import build_table, write_report
from results.schema import Samples, TrialRecord
from results.store import Store
from results.systems import systems_of
from results.table import Nothing, Table
from results.tables import TABLES
from search_spaces.errors import MmptError, UnknownNameError
from search_spaces.missing_rates import one_modality
from search_spaces.modality import Pattern

QUICK = Options(num_draws=3, num_resamples=20)


EMPTY_HERE = {"imputation": "vae_imputation", "published_numbers": "--compare", "critical_difference": "2 data sets"}
"""Of tables and figures that have nothing to show of the filled stores: a word of the reason."""


@pytest.mark.parametrize("key", TABLES.names())
def test_every_table_builds_and_can_be_written(filled: Store, key: str) -> None:
    tables = TABLES.get(key)(load(filled), QUICK)
    if isinstance(tables, Nothing):
        assert EMPTY_HERE[key] in tables.reason
        return
    for table in tables:
        assert all(len(row.cells) == len(table.columns) for row in table.rows)
        assert all(c.value is not None or c.reason or c.text for row in table.rows for c in row.cells)
        assert json.loads(to_json(table))["caption"] == table.caption
        assert to_csv(table).count("\n") == 1 + len(table.rows) * len(table.columns)
        assert to_markdown(table).count("\n| ") == len(table.rows) + 2
        assert to_html(table).count("<tr") == len(table.rows) + 1 + any(column.group for column in table.columns)
        assert to_latex(table).count(r"\\" + "\n") == len(table.rows) + 1 + any(c.group for c in table.columns)


@pytest.mark.parametrize("key", FIGURES.names())
def test_every_figure_builds_the_same_bytes_twice(filled: Store, key: str) -> None:
    data = load(filled)
    first, second = (FIGURES.get(key)(data, QUICK) for _ in range(2))
    if isinstance(first, Nothing) or isinstance(second, Nothing):
        assert first == second
        assert EMPTY_HERE[key] in first.reason
        return
    assert [to_svg(one) for one in first] == [to_svg(one) for one in second]
    assert to_png(first[0]).startswith(b"\x89PNG")


@pytest.mark.parametrize("key", [*TABLES, *FIGURES])
def test_nothing_to_show_has_a_reason(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord], key: str
) -> None:
    """One trial at p_train = 0.5: only what is about training with missing modalities has something to show."""
    store.write_samples(samples)
    store.write_trial(build_record(samples, "mtl", p_train={"audio": 0.5}))
    built = (TABLES.get(key) if key in TABLES else FIGURES.get(key))(load(store), QUICK)
    if key in ("missing_protocol", "surface"):
        assert built
    else:
        assert isinstance(built, Nothing)
        assert built.reason.startswith(("no finished ", "no method ", "no paper ", "late fusion: "))


def profile_table(filled: Store) -> Table:
    (table,) = build_table(filled, "mmpt_profile")
    return table


def test_profile_has_the_layout_of_the_paper(filled: Store) -> None:
    table = profile_table(filled)
    assert [row.label for row in table.rows] == ["Naive", "Unimodal", "Dropout", "Mtl", "umt"]
    names = [column.name for column in table.columns]
    assert names in (["Both", "Audio", "Image"], ["All", "Audio", "Image", "Text"])
    unimodal = table.rows[1].cells
    assert unimodal[0].value is None
    assert "none of its trials predicts from audio and image" in unimodal[0].reason
    assert "failed (OutOfMemoryError" in table.rows[4].cells[0].reason
    assert all(sum(row.cells[place].best for row in table.rows) == 1 for place in range(len(names)))
    assert "best_validation" in table.caption
    assert "60 test samples" in table.caption
    assert all(len(cell.origin.seeds) == 2 == len(cell.origin.trial_ids) for cell in table.rows[0].cells)


def test_ends_of_curves_are_the_profile(filled: Store) -> None:
    data = load(filled)
    systems = systems_of(data, QUICK)
    table = profile_table(filled)
    naive = next(group for group in systems.groups if group.method == "naive" and group.p_train == "0")
    at_zero = curve(systems, systems.of(naive), one_modality("audio")).values[0]
    assert sum(at_zero) / 2 == pytest.approx(table.rows[0].cells[0].value, abs=1e-15)


def test_two_versions_of_one_data_set_stay_apart(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    other = dataclasses.replace(samples, fingerprint="other" + "0" * 11)
    for version in (samples, other):
        store.write_samples(version)
        store.write_trial(build_record(version, trial_id=version.fingerprint))
    groups = {column.group for column in profile_table(store).columns}
    assert groups == {"Toy Data [data2s00]", "Toy Data [other000]"}


def test_latex_escapes() -> None:
    assert escape("a_b & 5% #1 {x} \\ ~ ^ $") == (
        r"a\_b \& 5\% \#1 \{x\} \textbackslash{} \textasciitilde{} \textasciicircum{} \$"
    )


def test_the_page_holds_everything_and_needs_nothing_else(filled: Store, tmp_path: Path) -> None:
    damaged = min(filled.done_ids())
    logits = Path(filled.root, "trials", damaged, "logits.parquet")
    logits.write_bytes(logits.read_bytes()[:-9])
    index = write_report(filled.root, tmp_path / "report")
    text = index.read_text()
    assert not re.search(r'(?:src|href)="(?!#|data:)[^"]*[:/]', text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert f"trial {damaged} is damaged" in text
    assert "OutOfMemoryError: &lt;no&gt; room" in text
    assert "0123abc" in text
    assert "mmpt report --store" in text
    endings = {path.suffix for path in index.parent.iterdir()}
    assert endings == {".md", ".tex", ".csv", ".json", ".parquet", ".svg", ".png", ".html"}


def test_only_what_is_asked_for_is_written(filled: Store, tmp_path: Path) -> None:
    index = write_report(filled.root, tmp_path / "report", tables=["weakness"], figures=[], metric="accuracy")
    assert {path.stem for path in index.parent.iterdir()} == {"index", "weakness"}


def test_an_empty_store_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MmptError, match="no finished trial to report"):
        write_report(store.root, tmp_path / "report")


@pytest.mark.parametrize(("kind", "key"), [("metric", "f2"), ("route", "tail")])
def test_unknown_options_are_refused(filled: Store, tmp_path: Path, kind: str, key: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown {kind} '{key}'"):
        write_report(filled.root, tmp_path / "report", **{kind: key})


def test_an_expert_shows_what_it_can(store: Store, samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    store.write_samples(samples)
    for name in ("audio", "image"):
        store.write_trial(build_record(samples, "unimodal", has=[Pattern([name])], method_params={"modality": name}))
    (table,) = build_table(store, "robustness")
    assert [cell.value is not None for cell in table.rows[0].cells] == [False] * 10 + [True]
