"""Tables, one file each: `build(data, options)` returns the finished tables, or `Nothing` with the reason."""

from collections.abc import Callable

from results.curves import Options
from results.frame import StoreData
from results.render import Nothing, Table
from search_spaces.catalog import Catalog

__all__ = ["TABLES"]

TABLES: Catalog[Callable[[StoreData, Options], list[Table] | Nothing]] = Catalog("table", "results.tables", "build")
