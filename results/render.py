"""Tables as Markdown, CSV, JSON and Parquet; LaTeX and HTML have files of their own."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from results.markdown import escape
from results.schema import write_parquet
from results.table import DASH, Column, Table

__all__ = ["to_csv", "to_json", "to_markdown", "to_parquet"]

CELLS_SCHEMA = pa.schema(
    [
        pa.field("row", pa.string(), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("column", pa.string(), nullable=False),
        pa.field("value", pa.float64()),  # not in percent
        pa.field("spread", pa.float64()),
        pa.field("low", pa.float64()),  # of the confidence interval
        pa.field("high", pa.float64()),
        pa.field("seeds", pa.string(), nullable=False),
        pa.field("trial_ids", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("route", pa.string(), nullable=False),
        pa.field("fingerprint", pa.string(), nullable=False),
        pa.field("samples", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""Columns of a table's CSV and Parquet files: one line per cell."""


def _cells(table: Table) -> Iterator[dict[str, Any]]:
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            origin = cell.origin
            yield {
                "row": row.label,
                "group": column.group,
                "column": column.name,
                "value": cell.value,
                "spread": cell.spread,
                "low": None if cell.interval is None else cell.interval.low,
                "high": None if cell.interval is None else cell.interval.high,
                "seeds": " ".join(map(str, origin.seeds)),
                "trial_ids": " ".join(origin.trial_ids),
                **{name: getattr(origin, name) for name in ("rule", "route", "fingerprint", "samples")},
                "text": cell.text,
                "reason": cell.reason,
            }


def to_markdown(table: Table) -> str:
    """Return a Markdown table with caption; bold: best of its column, `*`: better than the unimodal expert."""
    heads = ["", *(escape(f"{column.group} {column.name}") for column in table.columns)]
    lines = [f"### {escape(table.title)}", "", _bars(heads), _bars([":--", *["--:"] * len(table.columns)])]
    for row in table.rows:
        cells = [_shown(table, *pair) for pair in zip(table.columns, row.cells, strict=True)]
        lines.append(_bars([escape(row.label), *cells]))
    lines += ["", escape(table.caption)]
    lines += ["", *(f"{DASH} {escape(reason)}" for reason in table.reasons())] if table.reasons() else []
    return "\n".join(lines) + "\n"


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(table: Table, column: Column, cell: Any) -> str:
    plain = escape(table.plain(column, cell))
    text = f"**{plain}**" if cell.best else plain
    return f"{text} \\*" if cell.better else text


def to_csv(table: Table) -> str:
    """Return one line per cell with the columns of `CELLS_SCHEMA`; floats with all their digits."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CELLS_SCHEMA.names, lineterminator="\n")
    writer.writeheader()
    for cell in _cells(table):
        writer.writerow({name: repr(value) if isinstance(value, float) else value for name, value in cell.items()})
    return out.getvalue()


def to_parquet(table: Table) -> bytes:
    """Return one row per cell with the columns of `CELLS_SCHEMA`."""
    about = {"title": table.title, "caption": table.caption, **table.about}
    return write_parquet(pa.Table.from_pylist(list(_cells(table)), schema=CELLS_SCHEMA), about)


def to_json(table: Table) -> str:
    """Return everything the table knows, as JSON."""
    return json.dumps(asdict(table), indent=1, sort_keys=True, allow_nan=False) + "\n"
