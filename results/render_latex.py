"""Tables as LaTeX; a comment in the first line names the packages that a document's preamble needs."""

from itertools import groupby

from results.cells import Cell
from results.latex_text import escape
from results.table import Column, Row, Table

__all__ = ["escape", "to_latex"]

_LINE, _GAP, _LETTER = 345.0, 12.0, 5.5  # points: a line of the class article, between two columns, a wide letter


def to_latex(table: Table) -> str:
    """Return a table environment; bold: best of its column, underlined: better than the unimodal expert.

    A table that may be too wide shrinks to the width of the text where it is wider; it needs graphicx as well.
    """
    rows = [" & ".join([_first(row.label), *_row(table, row)]) + r" \\" for row in table.rows]
    body = [line for row, text in zip(table.rows, rows, strict=True) for line in ([r"\midrule"] * row.rule + [text])]
    wide = _width(table) > _LINE
    lines = [
        rf"% preamble: \usepackage{{{'booktabs,graphicx' if wide else 'booktabs'}}}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}",
        *([r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        *_headings(table),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}" + ("}" if wide else ""),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _width(table: Table) -> float:
    """Estimate how wide a table is set, in points; rather too wide than too narrow."""
    letters = [
        max(len(text) for text in (column.name, *(table.plain(column, row.cells[place]) for row in table.rows)))
        for place, column in enumerate(table.columns)
    ]
    total = _LETTER * max((len(row.label) for row in table.rows), default=0)
    for group, own in groupby(zip(table.columns, letters, strict=True), key=lambda pair: pair[0].group):
        widths = [_LETTER * count + _GAP for _, count in own]
        total += max(_LETTER * len(group) + _GAP, sum(widths))
    return total + _GAP


def _first(label: str) -> str:
    r"""Return a row's label; braces, since LaTeX takes a "[" after a line's end for that line's spacing."""
    text = escape(label)
    return f"{{{text}}}" if text.startswith(("[", "*")) else text


def _headings(table: Table) -> list[str]:
    spans = [(group, len(list(columns))) for group, columns in groupby(table.columns, key=lambda column: column.group)]
    names = " & ".join(["", *(escape(column.name) for column in table.columns)]) + r" \\"
    if not any(group for group, _ in spans):
        return [names]
    titles, rules, first = [""], [], 2
    for group, width in spans:
        titles.append(rf"\multicolumn{{{width}}}{{c}}{{{escape(group)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    return [" & ".join(titles) + r" \\", " ".join(rules), names]


def _row(table: Table, row: Row) -> list[str]:
    return [_cell(table, column, cell) for column, cell in zip(table.columns, row.cells, strict=True)]


def _cell(table: Table, column: Column, cell: Cell) -> str:
    if cell.value is None:
        return escape(cell.text) or "--"
    text = column.number(cell.value).replace("-", "$-$")
    text = rf"\textbf{{{text}}}" if cell.best else text
    text = rf"\underline{{{text}}}" if cell.better else text
    spread = "" if cell.spread is None else rf" {{\scriptsize $\pm$ {column.number(cell.spread)}}}"
    return text + spread + table.fewer_seeds(cell)
