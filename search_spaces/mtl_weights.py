"""Lattices of multi-task loss weights: one factor per modality's auxiliary task, the joint task fixed at 1."""

from collections.abc import Sequence
from itertools import product

from search_spaces.axes import Axis
from search_spaces.errors import InvalidValueError

__all__ = ["MMPT_FACTORS", "mtl_lattice", "mtl_tied"]

MMPT_FACTORS = (0.1, 0.5, 1.0)
"""MMPT section 4.1: the factors tried for each task."""


def mtl_lattice(modalities: Sequence[str], factors: Sequence[float] = MMPT_FACTORS) -> Axis:
    """Every combination of factors over the modalities: 9 points for two modalities, `mtl.weight_<modality>`.

    >>> len(mtl_lattice(["audio", "image"]).points)
    9
    """
    return _weights(modalities, list(product(factors, repeat=len(modalities))))


def mtl_tied(modalities: Sequence[str], factors: Sequence[float] = MMPT_FACTORS) -> Axis:
    """One factor shared by all modalities, which keeps the grid small for three or more."""
    return _weights(modalities, [(factor,) * len(modalities) for factor in factors])


def _weights(modalities: Sequence[str], rows: Sequence[Sequence[float]]) -> Axis:
    if not modalities or not rows:
        raise InvalidValueError("mtl weights", (list(modalities), len(rows)), "at least one modality and one factor")
    names = tuple(f"mtl.weight_{modality}" for modality in modalities)
    return Axis(names, tuple(dict(zip(names, row, strict=True)) for row in rows))
