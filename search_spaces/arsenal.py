"""MMPT's arsenal of methods as a grid: the seven methods of its tables 1 and 2 with the hyperparameters it searched."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from search_spaces.axes import choice
from search_spaces.grid import Grid, When
from search_spaces.learning_rates import MMPT_BATCH_SIZES, MMPT_LADDER
from search_spaces.mtl_weights import MMPT_FACTORS, mtl_lattice

__all__ = ["METHODS", "MMPT_DATASETS", "arsenal"]

METHODS = ("naive", "unimodal", "dropout", "mtl", "gblend", "ogm_ge", "umt")

_TEXT_AND_IMAGE = ("image", "text")
_AUDIO_AND_IMAGE = ("audio", "image")
MMPT_DATASETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mm_imdb": _TEXT_AND_IMAGE,
        "n24news_headline": _TEXT_AND_IMAGE,
        "n24news_body": _TEXT_AND_IMAGE,
        "crisis_mmd": _TEXT_AND_IMAGE,
        "upmc_food101": _TEXT_AND_IMAGE,
        "av_mnist": _AUDIO_AND_IMAGE,
    }
)
"""The data sets of MMPT and their modalities."""

_EMBEDDED = {"av_digits": _AUDIO_AND_IMAGE}  # so that --set dataset=av_digits tries the whole preset out


def arsenal(fusion: str, **axes: Any) -> Grid:
    """Return MMPT's search for one fusion: batch size x learning rate for every method, and the weights of MTL.

    153 trainings for each data set of two modalities: 9 each of naive training, G-Blend, OGM-GE and UMT, 18 unimodal
    experts, 18 of modality dropout (one per modality) and 81 of multi-task learning. OGM-GE and UMT have further
    hyperparameters, of which the paper names none; `--set ogm_ge.alpha=0.1,0.3,0.8` searches them.

    Args:
        fusion: `late` or `early`.
        axes: further axes, or others in place of these.
    """
    found: dict[str, Any] = {
        "dataset": choice(*MMPT_DATASETS),
        "fusion": fusion,
        "method": choice(*METHODS),
        "batch_size": MMPT_BATCH_SIZES,
        "learning_rate": MMPT_LADDER,
    }
    return Grid({**found, **axes}, *_of_modalities())


def _of_modalities() -> list[When]:
    """Axes whose values are modalities, which differ between data sets."""
    blocks = []
    for dataset, modalities in {**MMPT_DATASETS, **_EMBEDDED}.items():
        names = choice(*modalities)
        each = {"unimodal": names.bind("unimodal.modality"), "dropout": names.bind("dropout.modality")}
        each["mtl"] = mtl_lattice(modalities, MMPT_FACTORS)
        blocks += [When({"dataset": dataset, "method": method}, (axis,)) for method, axis in each.items()]
    return blocks
