"""Learning-rate ladders of the papers and of the small built-in models."""

from search_spaces.axes import choice

__all__ = ["MMPT_BATCH_SIZES", "MMPT_LADDER"]

MMPT_LADDER = choice(1e-4, 3e-5, 1e-5)
"""MMPT appendix C: the learning rates searched for every pre-trained backbone."""

MMPT_BATCH_SIZES = choice(16, 32, 64)
"""MMPT appendix C."""
