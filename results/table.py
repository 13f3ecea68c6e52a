"""A finished table as data: columns, rows of cells, and the caption that says what the numbers are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from results.cells import Cell
from results.naming import file_name

__all__ = ["DASH", "Column", "Nothing", "Row", "Table", "mark_best", "mark_best_of_rows"]

DASH = "-"


@dataclass(frozen=True)
class Nothing:
    """What a table or figure returns that has nothing to show."""

    reason: str


@dataclass(frozen=True)
class Column:
    """A column: the group whose heading it stands under (usually a data set), its name, and how numbers look.

    Attributes:
        group: heading above several columns.
        name: its own heading.
        percent: values are shown times 100.
        digits: digits after the point.
    """

    group: str
    name: str
    percent: bool = True
    digits: int = 1

    def number(self, value: float) -> str:
        """Format a value or a spread."""
        rounded = round(value * (100 if self.percent else 1), self.digits)
        return f"{rounded + 0.0:,.{self.digits}f}"  # + 0.0: no negative zero


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
    """A finished table. All numbers are of one route.

    Attributes:
        name: file name without ending.
        title: one line.
        caption: what the numbers are: metric, route, selection rule, seeds, data.
        columns: one per cell of a row.
        rows: the rows, in order.
        about: plain data for the JSON file.
        num_seeds: how many seeds the caption names; cells with fewer say so. 0: the caption names none.

    Raises:
        ValueError: a row has more or fewer cells than there are columns, or two routes meet.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
    num_seeds: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", file_name(self.name))
        if any(len(row.cells) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name}: a row does not have {len(self.columns)} cells")
        routes = {cell.origin.route for row in self.rows for cell in row.cells if cell.origin.route}
        if len(routes) > 1:
            raise ValueError(f"table {self.name} mixes the routes {' and '.join(sorted(routes))}")

    def plain(self, column: Column, cell: Cell) -> str:
        """Format a cell without marks."""
        if cell.value is None:
            return cell.text or DASH
        spread = "" if cell.spread is None else f" ± {column.number(cell.spread)}"
        return column.number(cell.value) + spread + self.fewer_seeds(cell)

    def fewer_seeds(self, cell: Cell) -> str:
        """Return ` (n=2)` for a cell with fewer seeds than the caption names; nothing where a number has no seeds."""
        seeds = len(cell.origin.seeds)
        return f" (n={seeds})" if 0 < seeds < self.num_seeds else ""

    def reasons(self) -> list[str]:
        """Why cells are empty, each reason once."""
        cells = [cell for row in self.rows for cell in row.cells]
        return list(dict.fromkeys(cell.reason for cell in cells if cell.value is None and cell.reason))


def mark_best(rows: Sequence[Row], reference: str | None = None) -> tuple[Row, ...]:
    """Mark each column's largest value, and what is larger than the value in the row whose key is `reference`.

    Raises:
        ValueError: cells of one column are of different data, which makes the largest mean nothing.
    """
    by_key = {row.key: row for row in rows}
    columns = []
    for place in range(len(rows[0].cells) if rows else 0):
        bar = by_key[reference].cells[place].value if reference in by_key else None
        columns.append(_marked([row.cells[place] for row in rows], bar))
    return tuple(replace(row, cells=tuple(column[index] for column in columns)) for index, row in enumerate(rows))


def mark_best_of_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Mark each row's largest value, for tables whose columns compete.

    Raises:
        ValueError: cells of one row are of different data.
    """
    return tuple(replace(row, cells=tuple(_marked(row.cells, None))) for row in rows)


def _marked(cells: Sequence[Cell], bar: float | None) -> list[Cell]:
    if len({cell.origin.fingerprint for cell in cells if cell.value is not None}) > 1:
        raise ValueError("values on different data cannot compete for the best")
    highest = max((cell.value for cell in cells if cell.value is not None), default=None)
    return [
        cell
        if cell.value is None
        else replace(cell, best=cell.value == highest, better=bar is not None and cell.value > bar)
        for cell in cells
    ]
