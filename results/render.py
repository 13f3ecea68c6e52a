"""Tables as data, and how to write them: Markdown, CSV and JSON here, LaTeX and HTML in files of their own."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from results.markdown import escape
from results.naming import file_name
from results.statistics import mean_and_spread

__all__ = [
    "DASH",
    "Cell",
    "Column",
    "Nothing",
    "Row",
    "Table",
    "mark_best",
    "scored",
    "to_csv",
    "to_json",
    "to_markdown",
]

DASH = "-"


@dataclass(frozen=True)
class Nothing:
    """What a table or figure returns that has nothing to show."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table with everything needed to check it, or the reason why there is none.

    Attributes:
        value: mean over seeds, as a fraction of 1 where the table is in percent.
        spread: sample standard deviation over seeds; None with a single seed.
        seeds: how many seeds.
        trial_ids: the trials behind the number.
        best: the largest value of its column.
        better: larger than the unimodal expert's value in the same column.
        reason: why the cell is empty.
        text: shown instead of a number.
    """

    value: float | None = None
    spread: float | None = None
    seeds: int = 0
    trial_ids: tuple[str, ...] = ()
    best: bool = False
    better: bool = False
    reason: str = ""
    text: str = ""


@dataclass(frozen=True)
class Column:
    """A column and the group (usually a data set) whose heading it stands under."""

    group: str
    name: str


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        label: what stands before the cells.
        cells: one per column.
        key: by which other code finds the row, whatever its label.
        rule: whether a line separates it from the row above.
    """

    label: str
    cells: tuple[Cell, ...]
    key: str = ""
    rule: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A finished table.

    Attributes:
        name: file name without ending.
        title: one line.
        caption: what the numbers are: metric, route, selection rule, seeds, data.
        columns: one per cell of a row.
        rows: the rows, in order.
        percent: values are shown times 100.
        digits: digits after the point.
        about: plain data for the JSON file.
        num_seeds: how many seeds the caption names; cells with fewer say so. 0: the caption names none.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    percent: bool = True
    digits: int = 1
    about: Mapping[str, Any] = field(default_factory=dict)
    num_seeds: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", file_name(self.name))

    def number(self, value: float) -> str:
        """Format a value or a spread."""
        return f"{value * (100 if self.percent else 1):.{self.digits}f}"

    def plain(self, cell: Cell) -> str:
        """Format a cell without marks."""
        if cell.value is None:
            return cell.text or DASH
        spread = "" if cell.spread is None else f" ± {self.number(cell.spread)}"
        return self.number(cell.value) + spread + self.fewer_seeds(cell)

    def fewer_seeds(self, cell: Cell) -> str:
        """Return ` (n=2)` for a cell with another number of seeds than the caption names, else nothing."""
        return f" (n={cell.seeds})" if self.num_seeds and cell.seeds != self.num_seeds else ""

    def reasons(self) -> list[str]:
        """Why cells are empty, each reason once."""
        return list(dict.fromkeys(cell.reason for row in self.rows for cell in row.cells if cell.reason))


def scored(values: Sequence[float], trial_ids: Sequence[str]) -> Cell:
    """Return the cell of one value per seed."""
    mean, spread = mean_and_spread(values)
    return Cell(value=mean, spread=spread, seeds=len(values), trial_ids=tuple(trial_ids))


def mark_best(rows: Sequence[Row], reference: str | None = None) -> tuple[Row, ...]:
    """Mark each column's largest value, and what is larger than the value in the row whose key is `reference`."""
    by_key = {row.key: row for row in rows}
    columns = []
    for place in range(len(rows[0].cells) if rows else 0):
        cells = [row.cells[place] for row in rows]
        highest = max((cell.value for cell in cells if cell.value is not None), default=None)
        bar = by_key[reference].cells[place].value if reference in by_key else None
        columns.append([_marked(cell, highest, bar) for cell in cells])
    return tuple(replace(row, cells=tuple(column[index] for column in columns)) for index, row in enumerate(rows))


def _marked(cell: Cell, highest: float | None, bar: float | None) -> Cell:
    if cell.value is None:
        return cell
    return replace(cell, best=cell.value == highest, better=bar is not None and cell.value > bar)


def to_markdown(table: Table) -> str:
    """Return a Markdown table with caption; bold: best of its column, `*`: better than the unimodal expert."""
    heads = ["", *(escape(f"{column.group} {column.name}") for column in table.columns)]
    lines = [f"### {escape(table.title)}", "", _bars(heads), _bars([":--", *["--:"] * len(table.columns)])]
    lines += [_bars([escape(row.label), *(_markdown(table, cell) for cell in row.cells)]) for row in table.rows]
    lines += ["", escape(table.caption)]
    lines += ["", *(f"{DASH} {escape(reason)}" for reason in table.reasons())] if table.reasons() else []
    return "\n".join(lines) + "\n"


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown(table: Table, cell: Cell) -> str:
    text = f"**{table.plain(cell)}**" if cell.best else table.plain(cell)
    return f"{text} \\*" if cell.better else text


def to_csv(table: Table) -> str:
    """Return one line per cell: row, group, column, value (not in percent), spread, seeds, trial ids, reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "group", "column", "value", "spread", "seeds", "trial_ids", "text", "reason"])
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            numbers = ["" if number is None else repr(number) for number in (cell.value, cell.spread)]
            where = [row.label, column.group, column.name]
            writer.writerow([*where, *numbers, cell.seeds, " ".join(cell.trial_ids), cell.text, cell.reason])
    return out.getvalue()


def to_json(table: Table) -> str:
    """Return everything the table knows, as JSON."""
    return json.dumps(asdict(table), indent=1, sort_keys=True, allow_nan=False) + "\n"
