"""Tables as LaTeX (package booktabs)."""

from itertools import groupby

from results.render import Cell, Table

__all__ = ["escape", "to_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def escape(text: str) -> str:
    r"""Return text that LaTeX prints as it is.

    >>> escape("p_test = 10 %")
    'p\\_test = 10 \\%'
    """
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def to_latex(table: Table) -> str:
    """Return a table environment; bold: best of its column, underlined: better than the unimodal expert."""
    rows = [" & ".join([_first(row.label), *(_cell(table, cell) for cell in row.cells)]) + r" \\" for row in table.rows]
    body = [line for row, text in zip(table.rows, rows, strict=True) for line in ([r"\midrule"] * row.rule + [text])]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        *_headings(table),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _first(label: str) -> str:
    r"""Return a row's label; braces, since LaTeX takes a "[" after a line's end for that line's spacing."""
    return f"{{{escape(label)}}}" if label.startswith(("[", "*")) else escape(label)


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


def _cell(table: Table, cell: Cell) -> str:
    if cell.value is None:
        return escape(cell.text) or "--"
    text = table.number(cell.value)
    text = rf"\textbf{{{text}}}" if cell.best else text
    text = rf"\underline{{{text}}}" if cell.better else text
    spread = "" if cell.spread is None else rf" {{\scriptsize $\pm$ {table.number(cell.spread)}}}"
    return text + spread + table.fewer_seeds(cell)
