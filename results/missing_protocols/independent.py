"""Each modality of each sample goes missing by itself, with a rate of its own, as in MMPT; the default."""

from collections.abc import Sequence

import numpy as np

from results.draws import available, uniform_draws
from results.missing_masks import Bools, Doubles, MissingProtocol
from results.pattern_shares import pattern_shares
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

__all__ = ["PROTOCOL", "Independent"]


class Independent(MissingProtocol):
    """Sample i loses modality m iff u(i, m, seed) < rate(m); masks are nested in the rates."""

    sentence = "Modalities go missing independently of each other at these rates."
    source = "MMPT, section 2.2 and appendix B"

    def kept(
        self,
        sample_ids: Sequence[str],
        modalities: Sequence[str],
        rates: MissingRates,
        seeds: Sequence[int],
        split: str,
    ) -> Bools:
        """A sample that would lose everything keeps the last to go when all rates grow in proportion."""
        zero = np.broadcast_to(0.0, (len(seeds), len(sample_ids)))
        draws = {
            name: uniform_draws(sample_ids, name, seeds, split) if rates[name] > 0 else zero for name in modalities
        }
        return available(draws, rates)

    def shares(self, modalities: Sequence[str], rates: MissingRates, num_samples: int) -> dict[Pattern, float]:
        """Products of the rates; see `results.pattern_shares`."""
        del num_samples
        return pattern_shares(modalities, rates)

    def staying_power(
        self, sample_ids: Sequence[str], modalities: Sequence[str], rates: MissingRates, seed: int, split: str
    ) -> Doubles:
        """Draws relative to the rates: the last to go when all rates grow in proportion."""
        tiny = np.finfo(float).tiny
        columns = [uniform_draws(sample_ids, name, [seed], split)[0] / max(rates[name], tiny) for name in modalities]
        return np.stack(columns, axis=1)


PROTOCOL = Independent()
