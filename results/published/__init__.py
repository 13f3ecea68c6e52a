"""What the papers print: every table as one data frame per paper, and where a paper contradicts itself."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pandas as pd

from search_spaces.errors import UnknownNameError

__all__ = ["COLUMNS", "PAPERS", "Misprint", "misprints", "published"]

PAPERS: Mapping[str, str] = MappingProxyType(
    {
        "mla": "Multimodal Representation Learning by Alternating Unimodal Adaptation",
        "mmpt": "Is the Glass Half-Empty or Half-Full? A Mixture-of-Tasks Perspective on Missing Modality",
        "u2a": "U2A: Unified Unimodal Adaptation for Robust and Efficient Multimodal Learning",
    }
)
"""Name -> title of every paper whose numbers are here."""

_PLACE = ["table", "dataset", "fusion", "method", "train", "available", "p_test", "metric"]
COLUMNS = ("paper", *_PLACE, "value", "spread")
"""Columns of `published`."""
_RATIOS = ("weakness_score",)
_DIGITS = 9  # a hundredth of a printed number is rounded to what was printed


@dataclass(frozen=True)
class Misprint:
    """A printed number that disagrees with the rest of its paper: nothing to reproduce.

    Attributes:
        table: number of the table it stands in.
        where: data set, fusion, method and what else names its place, as `published` spells them.
        printed: what the paper prints there, in the units of `published`.
        recomputed: what the paper's other numbers give; equal to `printed` if the name of the place is what misleads.
        note: how that is known.
    """

    table: int
    where: str
    printed: float
    recomputed: float
    note: str


def published(paper: str) -> pd.DataFrame:
    """Return a paper's printed numbers, one row each, in the order of its tables.

    Columns, all text but the last two and `table`:

    - `paper`, `table` (its number), `dataset`, `fusion` and `method` (keys);
    - `train`: what was there in training, `complete` or the missing rates as text (`text:0.7`: 70 % lack their text);
    - `available`: what was there at test time, `all` or the key of a pattern; empty where `p_test` says it;
    - `p_test`: missing rates at test time, as text; empty where `available` says it;
    - `metric`: `macro_f1`, `accuracy`, ..., `macro_f1_improvement` (over naive training) or `weakness_score`;
    - `value`, `spread`: as fractions of 1, weakness scores as they are; the spread is NaN where none is printed.

    Raises:
        UnknownNameError: the numbers of no such paper are here.
    """
    if paper not in PAPERS:
        raise UnknownNameError("paper", paper, PAPERS)
    rows = read_table(paper)
    scale = rows["metric"].isin(_RATIOS).map({True: 1.0, False: 100.0})
    numbers = {name: (pd.to_numeric(rows[name]) / scale).round(_DIGITS) for name in ("value", "spread")}
    return rows.assign(paper=paper, table=rows["table"].astype(int), **numbers)[list(COLUMNS)]


def misprints(paper: str) -> list[Misprint]:
    """Return the known misprints of a paper.

    Raises:
        UnknownNameError: the numbers of no such paper are here.
    """
    numbers = published(paper)
    known = read_table("misprints")
    known = known[known["paper"] == paper].astype({"table": int, "recomputed": float})
    found = known.merge(numbers, on=["paper", *_PLACE], validate="1:1")
    return [
        Misprint(
            table=row["table"],
            where=_where(row),
            printed=row["value"],
            recomputed=round(row["recomputed"] / 100, _DIGITS),
            note=row["note"],
        )
        for row in found.to_dict("records")
    ]


def _where(row: Mapping[Hashable, Any]) -> str:
    rates = [f"{name} {row[name]}" for name in ("train", "p_test") if ":" in row[name]]
    return ", ".join(
        filter(None, [row["dataset"], row["fusion"], row["method"], *rates, row["available"], row["metric"]])
    )


@cache
def read_table(name: str) -> pd.DataFrame:
    """Return one of this package's files as text; not to be changed by those who read it."""
    with files(__name__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#", dtype=str, keep_default_na=False)
