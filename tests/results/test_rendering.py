"""What reaches the reader: escaped text, safe names, buttons, rules and pictures with names."""

import re
from pathlib import Path

import pytest

from results.drawing import Drawing, blank, to_inline_svg
from results.naming import file_name
from results.render import Cell, Column, Row, Table, to_markdown
from results.render_html import to_html
from results.render_latex import to_latex
from results.report import build_table, write_report
from results.store import Store


def table_of(*labels: str, name: str = "t", title: str = "Title") -> Table:
    rows = tuple(Row(label, (Cell(value=0.5, seeds=1),)) for label in labels)
    return Table(name=name, title=title, caption="Caption.", columns=(Column("", "a_b"),), rows=rows)


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


def test_the_page_says_how_it_was_made(filled: Store, tmp_path: Path) -> None:
    text = write_report(filled.root, tmp_path / "page", tables=["weakness"], figures=[]).read_text()
    assert "mmpt report --store" in text
    assert "--table weakness" in text
    for fact in ("selection rule: <code>best_validation", "draws of missing modalities: <code>100"):
        assert fact in text
