"""Every method, data set, encoder, backbone and fusion by name."""

from search_spaces.catalog import Catalog
from trainables.api import Backbone, Dataset, Encoder, Fusion, Method

__all__ = ["BACKBONES", "DATASETS", "ENCODERS", "FUSIONS", "METHODS"]

METHODS: Catalog[type[Method]] = Catalog("method", "trainables.methods")
DATASETS: Catalog[type[Dataset]] = Catalog("data set", "trainables.datasets")
ENCODERS: Catalog[type[Encoder]] = Catalog("encoder", "trainables.encoders")
FUSIONS: Catalog[type[Fusion]] = Catalog("fusion", "trainables.fusion")
BACKBONES: Catalog[type[Backbone]] = Catalog("backbone", "trainables.backbones")
