"""Which samples are left with which availability pattern at given missing rates, and logits mixed accordingly."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from results.draws import available
from results.pattern_shares import possible_patterns
from results.schema import Floats
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

__all__ = ["masks", "mix_logits"]

Doubles = npt.NDArray[np.float64]


def mix_logits(logits: Mapping[Pattern, Floats], draws: Mapping[str, Doubles], rates: MissingRates) -> Floats:
    """Return (N, C) logits in which every sample has those of the pattern it is left with.

    Args:
        logits: (N, C) per pattern.
        draws: modality -> (N,) uniform numbers; every modality of the data set.
        rates: modality m of a sample is lost iff its draw is below the rate of m (MMPT's appendix B).
    """
    parts = [np.where(mask[:, None], logits[pattern], 0) for pattern, mask in masks(draws, rates) if pattern in logits]
    return np.sum(parts, axis=0, dtype=parts[0].dtype)


def masks(draws: Mapping[str, Doubles], rates: MissingRates) -> Iterator[tuple[Pattern, npt.NDArray[np.bool_]]]:
    """Yield for each possible pattern which draws leave exactly it; the masks' shape is that of the draws."""
    kept = available(draws, rates)
    for pattern in possible_patterns(list(draws), rates):
        states = [kept[..., place] == (name in pattern) for place, name in enumerate(draws) if rates[name] > 0]
        yield pattern, np.logical_and.reduce(states) if states else np.ones(kept.shape[:-1], dtype=bool)
