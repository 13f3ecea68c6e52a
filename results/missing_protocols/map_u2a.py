"""MAP's and U2A's masks: an exact share of the samples loses one modality each, the others are complete."""

from collections.abc import Sequence
from itertools import pairwise
from math import floor

import numpy as np

from results.draws import uniform_draws
from results.missing_masks import Bools, MissingProtocol, lowest
from search_spaces.errors import InvalidValueError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

__all__ = ["PROTOCOL", "MapU2a"]

_NEVER = 2.0  # above every draw
_DIGITS = 6  # int(100 * 0.29) is 28 in floating point, 29 here


class MapU2a(MissingProtocol):
    """With eta the sum of the rates, int(N eta) samples lose one modality each, shared out in the rates' proportion.

    The papers have two modalities and eta = 70 %: `image:0.7`, `text:0.7`, or both, `image:0.35+text:0.35`, which
    leaves 30 % of the samples complete. Their files draw int(N eta) samples without replacement and switch
    int(int(N eta) / 2) of them from text to image missing. Here the samples hit are those with the lowest draws, and of
    those again the lowest draws lose the first modality, and so on in alphabetical order. A sample more or less
    therefore changes a few others at most, and the samples hit at a rate are hit at every higher one.
    """

    sentence = "Of the samples an exact share loses one modality each, in the proportion of the rates; none loses two."
    source = "MAP (Lee et al. 2023) and U2A's tables 3 and 6"

    def settle(self, rates: MissingRates, modalities: Sequence[str]) -> MissingRates:
        """Check that the rates, which are shares of the samples, sum to 1 at most."""
        settled = rates.resolve(modalities)
        if settled and len(modalities) == 1:
            raise InvalidValueError(
                "missing rate of map_u2a", str(rates), "0: there is one modality, which samples keep"
            )
        if round(sum(settled.rates.values()), _DIGITS) > 1:
            allowed = "rates that sum to 1 at most, since a sample loses one modality: 70 % of both is 0.35 each"
            raise InvalidValueError("missing rates of map_u2a", str(rates), allowed)
        return settled

    def kept(
        self,
        sample_ids: Sequence[str],
        modalities: Sequence[str],
        rates: MissingRates,
        seeds: Sequence[int],
        split: str,
    ) -> Bools:
        """Rank the samples by one draw to say who is hit, and those by a second one to say what they lose."""
        ends = self._ends(modalities, rates, len(sample_ids))
        hit = lowest(uniform_draws(sample_ids, "map_u2a:hit", seeds, split), ends[-1])
        second = np.where(hit, uniform_draws(sample_ids, "map_u2a:loses", seeds, split), _NEVER)
        below = [lowest(second, end) for end in (0, *ends)]
        lost = [after & ~before for before, after in pairwise(below)]
        return ~np.stack(lost, axis=-1)

    def shares(self, modalities: Sequence[str], rates: MissingRates, num_samples: int) -> dict[Pattern, float]:
        """Counts by the number of samples: every sample is as likely as any other to be hit."""
        ends = self._ends(modalities, rates, num_samples)
        counts = {Pattern(modalities): num_samples - ends[-1]}
        for name, start, end in zip(modalities, (0, *ends[:-1]), ends, strict=True):
            if end > start:
                counts[Pattern([other for other in modalities if other != name])] = end - start
        return {pattern: count / num_samples for pattern, count in counts.items() if count}

    @staticmethod
    def _ends(modalities: Sequence[str], rates: MissingRates, num_samples: int) -> list[int]:
        """Return how many samples lose one of the first modality, of the first two, ...; the last is int(N eta)."""
        sums = np.cumsum([rates[name] for name in modalities])
        hit = floor(round(num_samples * sums[-1], _DIGITS))
        return [floor(round(hit * part, _DIGITS)) for part in (sums / sums[-1] if hit else 0 * sums)]


PROTOCOL = MapU2a()
