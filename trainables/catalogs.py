"""Every method, data set, encoder and fusion by name."""

from search_spaces.catalog import Catalog
from trainables.api import Dataset, Encoder, Fusion, Method

__all__ = ["DATASETS", "ENCODERS", "FUSIONS", "METHODS"]

METHODS: Catalog[type[Method]] = Catalog("method", "trainables.methods")
DATASETS: Catalog[type[Dataset]] = Catalog("data set", "trainables.datasets")
ENCODERS: Catalog[type[Encoder]] = Catalog("encoder", "trainables.encoders")
FUSIONS: Catalog[type[Fusion]] = Catalog("fusion", "trainables.fusion")
