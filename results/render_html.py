"""Tables and figures as HTML fragments: origins in the tooltips, reasons behind the dashes, links to their files."""

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby

from results.cells import Cell
from results.drawing import Drawing, to_inline_svg
from results.page import Block
from results.rules import RULES
from results.table import Column, Row, Table

__all__ = ["figure_block", "table_block", "to_html"]

_LONG_CAPTION = 160  # characters that a reader takes in at a glance


def table_block(table: Table, endings: Sequence[str] = ()) -> Block:
    """Return a table as a block of the page; see `to_html`."""
    return Block(table.name, table.title, to_html(table, endings))


def to_html(table: Table, endings: Sequence[str] = ()) -> str:
    """Return a `<figure>` with the table and its caption.

    Args:
        table: what is shown.
        endings: of the files of the table's name that lie beside the page.
    """
    rows = "\n".join(
        f'<tr{_rule(row)}><th scope="row">{escape(row.label)}</th>'
        f"{''.join(_cell(table, *pair) for pair in zip(table.columns, row.cells, strict=True))}</tr>"
        for row in table.rows
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in table.reasons())
    notes = f'<details class="reasons"><summary>Why cells are empty</summary><ul>{reasons}</ul></details>'
    shown = (
        f'<div class="scroll"><table class="sortable" aria-label="{escape(table.title)}">\n'
        f"<thead>\n{_headings(table)}</thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )
    return _figure(table, shown, endings, notes if reasons else "")


def figure_block(drawing: Drawing, endings: Sequence[str] = ()) -> Block:
    """Return a figure as a block of the page, the picture in it; `endings` as in `to_html`."""
    shown = f'<div class="scroll plot">{to_inline_svg(drawing)}</div>'
    return Block(drawing.name, drawing.title, _figure(drawing, shown, endings))


def _figure(content: Table | Drawing, shown: str, endings: Sequence[str], notes: str = "") -> str:
    links = "".join(f'<a href="{escape(content.name)}.{ending}">{ending}</a>' for ending in endings)
    files = f'<p class="files">{links}</p>\n' if links else ""
    return (
        f'<figure id="{escape(content.name)}">\n<h3>{escape(content.title)}</h3>\n{shown}\n'
        f"<figcaption>{_caption(content.caption)}</figcaption>\n{notes}{files}</figure>\n"
    )


def _caption(text: str) -> str:
    """Fold a long caption behind its first sentence; what was selected on test stays in view."""
    first, *rest = re.split(r"(?<=\.)\s+(?=[A-Z])", text, maxsplit=1)
    warned = any(rule.sentence in text for rule in RULES.values() if rule.split != "val")
    if warned or not rest or len(text) <= _LONG_CAPTION:
        return escape(text)
    return f"<details><summary>{escape(first)}</summary>{escape(rest[0])}</details>"


def _rule(row: Row) -> str:
    return ' class="rule"' if row.rule else ""


def _headings(table: Table) -> str:
    names = "".join(
        f'<th scope="col"><button type="button">{escape(column.name)}</button></th>' for column in table.columns
    )
    groups = "".join(
        f'<th scope="colgroup" colspan="{len(list(columns))}">{escape(group)}</th>'
        for group, columns in groupby(table.columns, key=lambda column: column.group)
    )
    top = f'<tr class="groups"><td></td>{groups}</tr>\n' if any(column.group for column in table.columns) else ""
    return f'{top}<tr class="names"><th scope="col"><button type="button">name</button></th>{names}</tr>\n'


def _cell(table: Table, column: Column, cell: Cell) -> str:
    tooltip = f' title="{escape(cell.tooltip())}"' if cell.tooltip() else ""
    if cell.value is None:
        return f'<td class="empty"{tooltip}>{escape(cell.text) or "&ndash;"}</td>'
    marks = " ".join(name for name, holds in (("best", cell.best), ("better", cell.better)) if holds)
    marks = f' class="{marks}"' if marks else ""
    spread = "" if cell.spread is None else f' <span class="spread">&plusmn;{column.number(cell.spread)}</span>'
    return (
        f'<td{marks} data-value="{cell.value!r}"{tooltip}>'
        f"<b>{column.number(cell.value)}</b>{spread}{table.fewer_seeds(cell)}</td>"
    )
