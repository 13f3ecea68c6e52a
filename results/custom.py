"""Tables and figures of a user's own, from a function on the long-form frame of scores."""

from collections.abc import Callable, Iterator
from math import isnan
from typing import Any

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from results.cells import Cell, empty
from results.data import StoreData
from results.drawing import Drawing
from results.long_form import long_form
from results.metrics import metric_named
from results.options import Options
from results.table import Column, Nothing, Row, Table
from search_spaces.errors import InvalidValueError

__all__ = ["frame_figure", "frame_table"]

TableFunction = Callable[[pd.DataFrame], pd.DataFrame]
FigureFunction = Callable[[pd.DataFrame], Figure]


def frame_table(
    function: TableFunction,
    *,
    title: str,
    caption: str,
    name: str = "",
    percent: bool = True,
    digits: int = 1,
    every_score: bool = False,
) -> Callable[[StoreData, Options], list[Table] | Nothing]:
    """Return a table's `build` from a function of `results.frame`.

    `results.tables.TABLES.add(frame_table(...), "my_table")` adds it for this process, an entry point of the group
    `mmpt.tables` for good.

    Args:
        function: long-form frame -> frame of numbers, or of `results.cells.Cell` where they are to say which trials
            they come from. Its index gives the rows' labels, its columns the headings; a first level of two stands
            above the second. NaN and None: an empty cell.
        title: of the table.
        caption: what the numbers are; metric and route are added.
        name: of its files, by default the function's.
        percent: numbers are shown times 100.
        digits: digits after the point.
        every_score: the function sees every metric and route; by default those of the report's options alone.

    Raises:
        InvalidValueError: when the table is built, if the function returns no frame or something else than numbers.
    """

    def build(data: StoreData, options: Options) -> list[Table] | Nothing:
        made = function(_seen(data, options, every_score=every_score))
        if not isinstance(made, pd.DataFrame):
            raise InvalidValueError(f"what {_name_of(function)} returns", type(made).__name__, "a pandas DataFrame")
        if made.empty:
            return Nothing(f"{_name_of(function)} returns no numbers for this store")
        table = Table(
            name=name or _name_of(function),
            title=title,
            caption=caption if every_score else f"{caption} {_scored_by(options)}",
            columns=tuple(Column(*_heading(key), percent=percent, digits=digits) for key in made.columns),
            rows=tuple(_rows(made, _name_of(function))),
            about=vars(options),
        )
        return [table]

    return build


def frame_figure(
    function: FigureFunction, *, title: str, caption: str, name: str = "", every_score: bool = False
) -> Callable[[StoreData, Options], list[Drawing]]:
    """Return a figure's `build` from a function of `results.frame`; add it with `results.figures.FIGURES.add`.

    Args:
        function: long-form frame -> matplotlib figure.
        title: of the figure.
        caption: what is drawn; metric and route are added.
        name: of its files, by default the function's.
        every_score: as in `frame_table`.

    Raises:
        InvalidValueError: when the figure is built, if the function returns none.
    """

    def build(data: StoreData, options: Options) -> list[Drawing]:
        made = function(_seen(data, options, every_score=every_score))
        if not isinstance(made, Figure):
            raise InvalidValueError(f"what {_name_of(function)} returns", type(made).__name__, "a matplotlib Figure")
        FigureCanvasAgg(made)  # no window, whatever backend the figure was made with
        said = caption if every_score else f"{caption} {_scored_by(options)}"
        return [Drawing(name or _name_of(function), title, said, made)]

    return build


def _seen(data: StoreData, options: Options, *, every_score: bool) -> pd.DataFrame:
    frame = long_form(data)
    if every_score:
        return frame
    own = (frame["metric"] == options.metric) & (frame["route"] == options.route)
    return frame[own].reset_index(drop=True)


def _scored_by(options: Options) -> str:
    return f"Metric: {metric_named(options.metric).title}. Route: {options.route}."


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _rows(made: pd.DataFrame, name: str) -> Iterator[Row]:
    for index, values in zip(made.index, made.astype(object).to_numpy(), strict=True):
        label = ", ".join(map(str, index)) if isinstance(index, tuple) else str(index)
        yield Row(label, tuple(_cell(value, f"what {name} returns in row {label!r}") for value in values), key=label)


def _heading(key: object) -> tuple[str, str]:
    """Return (group, name) of a column: the first level of several stands above the rest."""
    if isinstance(key, tuple):
        return str(key[0]), " ".join(map(str, key[1:]))
    return "", str(key)


def _cell(value: object, what: str) -> Cell:
    if isinstance(value, Cell):
        return value
    if value is None or value is pd.NA:
        return empty("no value")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InvalidValueError(what, value, "numbers, NaN or cells") from error
    if isnan(number):
        return empty("no value")
    return Cell(value=number) if abs(number) < float("inf") else Cell(text=str(number), reason="not a finite number")
