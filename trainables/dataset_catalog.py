"""Every data set by name; apart from the other catalogs, since preparing data needs no torch."""

from search_spaces.catalog import Catalog
from trainables.api_data import Dataset
from trainables.preparing.registered import Registered

__all__ = ["DATASETS"]

DATASETS: Catalog[type[Dataset]] = Catalog("data set", "trainables.datasets", more=Registered())
