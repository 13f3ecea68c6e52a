"""WHAT to run: modalities, missing rates, trial specifications, grids and presets. Standard library only."""

from search_spaces.axes import Axis, Choice, choice, log_space, simplex, zipped
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from search_spaces.grid import Grid, When
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Modality, Pattern, pattern_label, patterns
from search_spaces.mtl_weights import mtl_lattice, mtl_tied
from search_spaces.preset import Preset
from search_spaces.spec import TrialSpec

__all__ = [
    "Axis",
    "Choice",
    "Grid",
    "InvalidValueError",
    "MissingRates",
    "MmptError",
    "Modality",
    "Pattern",
    "Preset",
    "TrialSpec",
    "UnknownNameError",
    "When",
    "choice",
    "log_space",
    "mtl_lattice",
    "mtl_tied",
    "pattern_label",
    "patterns",
    "simplex",
    "zipped",
]
