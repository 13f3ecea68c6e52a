"""GCNet's masks, also CPM-Net's and MLA's: one rate over all entries, and at least one view of every sample kept."""

from collections.abc import Sequence
from math import prod

import numpy as np

from results.draws import uniform_draws
from results.missing_masks import Bools, MissingProtocol, lowest
from search_spaces.errors import InvalidValueError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern, patterns

__all__ = ["PROTOCOL", "Gcnet"]

_NEVER = 2.0  # above every draw


class Gcnet(MissingProtocol):
    """Every sample keeps one modality at random; of all other entries as many stay as make up a share of 1 - eta.

    With V modalities a share of 1/V stays whatever eta is: rates above 1 - 1/V are that rate, 0.667 for 0.7 with three.
    The original switches entries on at random until the share present is within 0.005 of 1 - eta; here those with the
    lowest draws stay, which meets it to half an entry. So masks are nested in eta, and a sample more or less changes a
    few others at most.
    """

    sentence = "Every sample keeps one modality at random; of all other entries an exact share goes missing as well."
    source = "GCNet (Lian et al. 2023), as in MLA's table 2"

    def settle(self, rates: MissingRates, modalities: Sequence[str]) -> MissingRates:
        """Check that all modalities have one rate, and bound it by 1 - 1/V."""
        settled = rates.resolve(modalities)
        found = {settled[name] for name in modalities}
        if len(found) > 1:
            raise InvalidValueError("missing rates of gcnet", str(rates), "one rate for every modality, such as 0.3")
        highest = 1 - 1 / len(modalities)
        return MissingRates(dict.fromkeys(modalities, min(found.pop(), highest)))

    def kept(
        self,
        sample_ids: Sequence[str],
        modalities: Sequence[str],
        rates: MissingRates,
        seeds: Sequence[int],
        split: str,
    ) -> Bools:
        """Rank all entries but the guaranteed ones by a draw of their own."""
        places = np.arange(len(modalities))
        first = uniform_draws(sample_ids, "gcnet:first", seeds, split)
        guaranteed = np.floor(first * len(modalities))[..., None] == places
        more = np.stack([uniform_draws(sample_ids, f"gcnet:{name}", seeds, split) for name in modalities], axis=-1)
        more[guaranteed] = _NEVER
        count = self._num_more(modalities, rates, len(sample_ids))
        chosen = lowest(more.reshape(len(seeds), -1), count).reshape(more.shape)
        return np.asarray(guaranteed | chosen)

    def shares(self, modalities: Sequence[str], rates: MissingRates, num_samples: int) -> dict[Pattern, float]:
        """Any of a pattern's modalities can be the guaranteed one; the others are drawn without replacement."""
        views = len(modalities)
        entries, on = num_samples * (views - 1), self._num_more(modalities, rates, num_samples)
        shares = {}
        for pattern in patterns(modalities):
            more, off = len(pattern) - 1, views - len(pattern)
            ways = prod(on - place for place in range(more)) * prod(entries - on - place for place in range(off))
            shares[pattern] = len(pattern) / views * ways / prod(entries - place for place in range(views - 1))
        return {pattern: share for pattern, share in shares.items() if share > 0}

    @staticmethod
    def _num_more(modalities: Sequence[str], rates: MissingRates, num_samples: int) -> int:
        """Return how many entries stay beside one of each sample."""
        return round(num_samples * len(modalities) * (1 - rates[modalities[0]])) - num_samples


PROTOCOL = Gcnet()
