"""Tables, one file each: `build(data, options)` returns the finished tables, or `Nothing` with the reason."""

from collections.abc import Callable

from results.data import StoreData
from results.options import Options
from results.table import Nothing, Table
from search_spaces.catalog import Catalog

__all__ = ["FIRST", "TABLES"]

TABLES: Catalog[Callable[[StoreData, Options], list[Table] | Nothing]] = Catalog("table", "results.tables", "build")

FIRST = ("mmpt_profile", "weakness", "best_fusion", "robustness", "comparison")
"""What a report begins with; all others follow by name."""
