"""Sweeps that run by name: each file defines one `PRESET`."""

from search_spaces.catalog import Catalog
from search_spaces.preset import Preset

__all__ = ["PRESETS"]

PRESETS: Catalog[Preset] = Catalog("preset", "search_spaces.presets", attribute="PRESET")
