"""What reaches the reader: escaped text, safe names, buttons, rules and pictures with names."""

import html
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_up
import pytest

from orchestrator.cli import main
from results.cells import Cell, Origin
from results.drawing import Drawing, to_inline_svg
from results.intervals import Interval
from results.naming import file_name
from results.page import Block, Section, page
from results.panels import blank
from results.render import to_markdown
from results.render_html import figure_block, to_html
from results.render_latex import to_latex
from results.report import build_table, write_report
from results.rules import RULES
from results.store import Store
from results.table import Column, Row, Table

ORIGIN = Origin(
    trial_ids=("trial-a", "trial-b"),
    seeds=(0, 1),
    rule="best_validation",
    route="probe",
    fingerprint="0123456789abcdef",
    samples=60,
)


def table_of(*labels: str, name: str = "t", title: str = "Title", caption: str = "Caption.") -> Table:
    cell = Cell(value=0.5, origin=ORIGIN, interval=Interval(0.4, 0.6, 0.95, "test samples and seeds"))
    rows = tuple(Row(label, (cell,)) for label in labels)
    return Table(name=name, title=title, caption=caption, columns=(Column("", "a_b"),), rows=rows)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Naive, audio missing (any)", "Naive, audio missing (any)"),
        ("best_validation", "best_validation"),
        ("a|b", "a\\|b"),
        ("a\\b", "a\\\\b"),
        ("*a* `b`", "\\*a\\* \\`b\\`"),
        ("_a_", "\\_a\\_"),
        ("<b> [c]", "\\<b> \\[c]"),
        ("two\n lines", "two lines"),
    ],
)
def test_markdown_shows_names_as_they_are(label: str, shown: str) -> None:
    assert f"\n| {shown} | 50.0 |\n" in to_markdown(table_of(label))


def test_latex_takes_no_label_for_spacing() -> None:
    text = to_latex(table_of("[a]", "*b", "c", name="../x_y z"))
    assert "\n{[a]} & " in text
    assert "\n{*b} & " in text
    assert "\nc & " in text
    assert re.search(r"\\label\{tab:[a-z0-9-]+\}", text)


@pytest.mark.parametrize("name", ["../a", "a/b", "a\\b", "a b", ".hidden", "ä", "a:b"])
def test_names_are_safe_and_stay_apart(name: str) -> None:
    safe = file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", safe)
    assert safe != file_name(f"{name}/")
    assert table_of(name=name).name == Drawing(name, "t", "c", blank(1)[0]).name == safe
    assert file_name("surface_av_digits-2.0") == "surface_av_digits-2.0"


def test_headings_are_buttons_and_the_table_has_a_name() -> None:
    text = to_html(table_of("a", title='Of "all" & more'))
    assert text.count('<button type="button">') == 2
    assert 'aria-label="Of &quot;all&quot; &amp; more"' in text
    assert "tabindex" not in text


def test_an_inline_picture_has_a_name_ids_of_its_own_and_its_own_width() -> None:
    figure, panels = blank(2, width=5.0)
    panels[0][0].plot([0, 1])
    svg = to_inline_svg(Drawing("one", "A <title>", "c", figure))
    assert svg.startswith('<svg role="img" aria-label="A &lt;title&gt;" style="min-width: 6.00in" ')
    assert all(found.startswith("one-") for found in re.findall(r'\bid="([^"]+)"', svg))


def test_a_rule_stands_between_families(filled: Store) -> None:
    table = build_table(filled, "robustness", num_draws=1)[0]
    family = [row.label.rpartition(", ")[2] for row in table.rows]
    starts = [place for place in range(1, len(family)) if family[place] != family[place - 1]]
    assert [place for place, row in enumerate(table.rows) if row.rule] == starts != []
    assert to_html(table).count('<tr class="rule">') == len(starts)
    assert to_latex(table).count("\\midrule") == 1 + len(starts)


def test_a_tooltip_says_where_the_number_comes_from() -> None:
    (tooltip,) = re.findall(r'title="([^"]*)"', to_html(table_of("a")))
    assert tooltip.splitlines() == [
        "95% interval 0.4000 to 0.6000 over test samples and seeds",
        "2 seeds: 0, 1",
        "selected by best_validation, route probe",
        "60 test samples of data 01234567",
        "trials: trial-a, trial-b",
    ]


def test_a_long_caption_is_folded_behind_its_first_sentence() -> None:
    text = to_html(table_of("a", caption=f"Scores in percent. {'More about them. ' * 20}"))
    assert "<figcaption><details><summary>Scores in percent.</summary>More about them. More" in text
    assert "<details" not in to_html(table_of("a", caption="Scores in percent. Short."))


def test_what_was_selected_on_test_is_never_folded_away() -> None:
    caption = f"Scores in percent. {'More about them. ' * 20}{RULES['oracle_test'].sentence}"
    text = to_html(table_of("a", caption=caption))
    assert "SELECTED ON THE TEST SET" in text
    assert "<details" not in text


def test_a_cell_without_origin_has_no_tooltip() -> None:
    bare = Table(name="t", title="t", caption="c", columns=(Column("", "x"),), rows=(Row("a", (Cell(value=1.0),)),))
    assert '<td data-value="1.0"><b>100.0</b></td>' in to_html(bare)


def test_files_are_linked_beside_the_page() -> None:
    text = to_html(table_of("a", name="one table"), ["md", "csv"])
    assert re.findall(r'<a href="([^"]+)">(\w+)</a>', text) == [
        (f"{file_name('one table')}.md", "md"),
        (f"{file_name('one table')}.csv", "csv"),
    ]
    figure = figure_block(Drawing("drawn", "Of <all>", "c", blank(1)[0]), ["svg"])
    assert '<a href="drawn.svg">svg</a>' in figure.html
    assert "<h3>Of &lt;all&gt;</h3>" in figure.html


def test_the_contents_link_to_every_block() -> None:
    blocks = [Block("a", "First & best", "<p id='a'></p>"), Block("b", "Second", "<p id='b'></p>")]
    text = page("Title", "Lead", [Section("tables", "Tables", blocks), Section("rest", "Rest", html="<p>more</p>")])
    contents = text[text.index('<nav class="contents"') : text.index("<main>")]
    assert "<summary>Tables (2)</summary>" in contents
    assert re.findall(r'<a href="#(\w+)">([^<]+)</a>', contents) == [("a", "First &amp; best"), ("b", "Second")]
    assert "Rest" not in contents
    assert text.index("<p id='b'>") < text.index("<p>more</p>")


def test_every_link_of_the_page_leads_somewhere(filled: Store, tmp_path: Path) -> None:
    index = write_report(filled.root, tmp_path / "page", num_draws=3, num_resamples=0)
    text = index.read_text()
    targets = re.findall(r'<a href="([^"]+)"', text)
    inside = {target[1:] for target in targets if target.startswith("#")}
    beside = {target for target in targets if not target.startswith("#")}
    assert inside <= set(re.findall(r'\bid="([^"]+)"', text))
    assert beside == {path.name for path in index.parent.iterdir()} - {"index.html"}
    assert set(re.findall(r'<figure id="([^"]+)"', text)) <= inside


def test_the_page_says_how_it_was_made(filled: Store, tmp_path: Path) -> None:
    text = write_report(filled.root, tmp_path / "page", tables=["weakness"], figures=[]).read_text()
    assert "mmpt report --store" in text
    assert "--table weakness" in text
    for fact in ("selection rule: <code>best_validation", "draws of missing modalities: <code>100"):
        assert fact in text


def test_the_command_makes_the_same_page_again(tmp_path: Path) -> None:
    roots = []
    for name in ("one", "other"):
        roots.append(str(tmp_path / f"the {name} store"))
        made_up.fill(Store(roots[-1]), replace(made_up.make_samples(), dataset=name))
    options: dict[str, Any] = {"metric": "accuracy", "num_draws": 3, "num_resamples": 20, "rule": "best_full"}
    index = write_report(roots, tmp_path / "page", tables=["weakness"], figures=[], **options)
    before = index.read_bytes()
    shown = re.findall(r"<pre>(.*?)</pre>", before.decode(), re.DOTALL)
    index.unlink()
    words = shlex.split(html.unescape(shown[-1]))
    assert words[:2] == ["mmpt", "report"]
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert ended.value.code == 0
    assert index.read_bytes() == before
