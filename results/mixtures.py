"""Logits mixed by what each sample is left with at given missing rates."""

from collections.abc import Mapping

import numpy as np

from results.draws import available
from results.missing_masks import Doubles, pattern_masks
from results.pattern_shares import possible_patterns
from results.schema import Floats
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

__all__ = ["mix_logits"]


def mix_logits(logits: Mapping[Pattern, Floats], draws: Mapping[str, Doubles], rates: MissingRates) -> Floats:
    """Return (N, C) logits in which every sample has those of the pattern it is left with.

    Args:
        logits: (N, C) per pattern.
        draws: modality -> (N,) uniform numbers; every modality of the data set.
        rates: modality m of a sample is lost iff its draw is below the rate of m (MMPT's appendix B).
    """
    masks = pattern_masks(available(draws, rates), list(draws), rates, possible_patterns(list(draws), rates))
    parts = [np.where(mask[:, None], logits[pattern], 0) for pattern, mask in masks if pattern in logits]
    return np.sum(parts, axis=0, dtype=parts[0].dtype)
