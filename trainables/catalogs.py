"""Every method, data set, encoder, backbone and fusion by name."""

from search_spaces.catalog import Catalog
from trainables.api import Backbone, Encoder, Fusion, Method
from trainables.dataset_catalog import DATASETS

__all__ = ["BACKBONES", "DATASETS", "ENCODERS", "FUSIONS", "METHODS"]

METHODS: Catalog[type[Method]] = Catalog("method", "trainables.methods")
ENCODERS: Catalog[type[Encoder]] = Catalog("encoder", "trainables.encoders")
FUSIONS: Catalog[type[Fusion]] = Catalog("fusion", "trainables.fusion")
BACKBONES: Catalog[type[Backbone]] = Catalog("backbone", "trainables.backbones")
