"""Tables as HTML fragments: trial ids in the tooltips, reasons behind the dashes, sortable by the page's script."""

from html import escape
from itertools import groupby

from results.render import Cell, Row, Table

__all__ = ["to_html"]


def to_html(table: Table) -> str:
    """Return a `<figure>` with the table and its caption."""
    rows = "\n".join(
        f'<tr{_rule(row)}><th scope="row">{escape(row.label)}</th>'
        f"{''.join(_cell(table, cell) for cell in row.cells)}</tr>"
        for row in table.rows
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in table.reasons())
    notes = f'<details class="reasons"><summary>Why cells are empty</summary><ul>{reasons}</ul></details>'
    return (
        f'<figure id="{escape(table.name)}">\n<h3>{escape(table.title)}</h3>\n'
        '<div class="scroll">'
        f'<table class="sortable" aria-label="{escape(table.title)}">\n<thead>\n{_headings(table)}</thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>\n"
        f"<figcaption>{escape(table.caption)}</figcaption>\n{notes if reasons else ''}</figure>\n"
    )


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


def _cell(table: Table, cell: Cell) -> str:
    if cell.value is None:
        shown = escape(cell.text) or "&ndash;"
        return f'<td class="empty" title="{escape(cell.reason)}">{shown}</td>'
    marks = " ".join(name for name, holds in (("best", cell.best), ("better", cell.better)) if holds)
    trials = ", ".join(cell.trial_ids)
    spread = "" if cell.spread is None else f' <span class="spread">&plusmn;{table.number(cell.spread)}</span>'
    tooltip = f"{cell.seeds} seed{'' if cell.seeds == 1 else 's'}; trials: {trials}"
    return (
        f'<td class="{marks}" data-value="{cell.value!r}" title="{escape(tooltip)}">'
        f"<b>{table.number(cell.value)}</b>{spread}{table.fewer_seeds(cell)}</td>"
    )
