"""MMPT's question on real handwritten digits paired with spoken ones, answered on a laptop."""

from search_spaces.arsenal import METHODS
from search_spaces.axes import choice
from search_spaces.grid import Grid
from search_spaces.missing_rates import MissingRates, one_modality
from search_spaces.mtl_weights import mtl_tied
from search_spaces.preset import Preset

MODALITIES = ("audio", "image")

_TRAINING = {
    "dataset": "av_digits",
    "learning_rate": 1e-3,
    "batch_size": 64,
    "epochs": 20,
    "weight_decay": 0.01,
    "schedule": "constant",
    "warmup": 0.0,
    "clip_norm": 0.0,
    "patience": 0,
    "seed": choice(0, 1, 2),
}

_COMPLETE_DATA = Grid(
    {
        **_TRAINING,
        "method": choice(*METHODS),
        "unimodal.modality": choice(*MODALITIES),
        "dropout.modality": choice(*MODALITIES),
    },
    mtl_tied(MODALITIES, factors=(0.5, 1.0)),
)

_EARLY_FUSION = Grid(
    {
        **_TRAINING,
        "fusion": "early",
        "learning_rate": 3e-3,
        "method": choice("naive", "unimodal", "mtl"),
        "unimodal.modality": choice(*MODALITIES),
    },
    mtl_tied(MODALITIES, factors=(0.5,)),
)

_MISSING_IN_TRAINING = Grid(
    {
        **_TRAINING,
        "method": choice("naive", "mtl"),
        "p_train": choice(
            *one_modality("audio", (0.4, 0.8)),
            *one_modality("image", (0.4, 0.8)),
            MissingRates.shared(0.4),
        ),
        "seed": 0,
    },
    mtl_tied(MODALITIES, factors=(0.5,)),
)

PRESET = Preset(
    title="MMPT's comparison on av_digits: seven methods late, three early, and training data that goes missing",
    about=(
        "Which method should one use when audio or image may be absent? The seven methods of MMPT in late fusion and "
        "naive, unimodal and multi-task training in early fusion on complete data (three seeds), and naive against "
        "multi-task in late fusion when 40 or 80 % of one modality is missing in training. About two minutes "
        "on two cores."
    ),
    grid=_COMPLETE_DATA + _EARLY_FUSION + _MISSING_IN_TRAINING,
)
