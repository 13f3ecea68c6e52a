"""Figures, one file each: `build(data, options)` returns the finished figures, or `Nothing` with the reason."""

from collections.abc import Callable

from results.data import StoreData
from results.drawing import Drawing
from results.options import Options
from results.table import Nothing
from search_spaces.catalog import Catalog

__all__ = ["FIGURES"]

FIGURES: Catalog[Callable[[StoreData, Options], list[Drawing] | Nothing]] = Catalog(
    "figure", "results.figures", "build"
)
