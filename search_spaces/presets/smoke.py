"""The smallest sweep that touches every part, for tests and for trying out an installation."""

from search_spaces.axes import choice
from search_spaces.grid import Grid
from search_spaces.preset import Preset

PRESET = Preset(
    title="A few seconds on av_digits: does everything work here?",
    about="Naive training and the two unimodal experts, one seed, two epochs. The scores mean nothing.",
    grid=Grid(
        {
            "dataset": "av_digits",
            "method": choice("naive", "unimodal"),
            "unimodal.modality": choice("audio", "image"),
            "epochs": 2,
            "patience": 0,
        }
    ),
)
