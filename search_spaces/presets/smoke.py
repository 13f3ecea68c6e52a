"""The smallest sweep that touches every part, for tests and for trying out an installation."""

from search_spaces.axes import choice
from search_spaces.grid import Grid
from search_spaces.modality import EACH
from search_spaces.preset import Preset

PRESET = Preset(
    title="A few seconds on av_digits: does everything work here?",
    about=(
        "Naive training and the unimodal experts, one seed, two epochs, small random encoders; the scores mean "
        "nothing. --set dataset=<another> does the same on any data set."
    ),
    grid=Grid(
        {
            "dataset": "av_digits",
            "method": choice("naive", "unimodal"),
            "unimodal.modality": EACH,
            "encoder.default": "tiny",
            "dataset.preset": "tiny",
            "epochs": 2,
            "patience": 0,
        }
    ),
)
