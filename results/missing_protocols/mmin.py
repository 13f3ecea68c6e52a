"""MMIN's masks: every pattern but the full one, equally often; a test is the mean over all of them."""

from collections.abc import Sequence

import numpy as np

from results.draws import uniform_draws
from results.missing_masks import Bools, MissingProtocol
from search_spaces.errors import InvalidValueError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern, patterns

__all__ = ["PROTOCOL", "Mmin"]

_HALF = 0.5  # each modality is in 2^(V-1) - 1 of the 2^V - 2 patterns


class Mmin(MissingProtocol):
    """In training every sample is left with one of the patterns that lack something, all equally likely.

    With three modalities those are MMIN's six conditions, with V they are 2^V - 2, in which each modality is missing
    half of the time: `p_train` is 0.5 for every modality whether it is given or not. At test time every sample is seen
    under each pattern, and a score is the mean of the patterns' scores.
    """

    sentence = "Every pattern but the full one is equally likely; each modality is missing half of the time."
    source = "MMIN (Zhao et al. 2021)"
    averages_patterns = True

    def implied(self, modalities: Sequence[str]) -> MissingRates:
        """Return what the patterns come to: each modality is missing half of the time."""
        return MissingRates(dict.fromkeys(modalities, _HALF))

    def settle(self, rates: MissingRates, modalities: Sequence[str]) -> MissingRates:
        """Accept nothing missing, and what the patterns come to."""
        settled = rates.resolve(modalities)
        if settled and len(modalities) == 1:
            raise InvalidValueError("missing rate of mmin", str(rates), "0: there is one modality, which samples keep")
        if settled and settled != self.implied(modalities):
            raise InvalidValueError("missing rates of mmin", str(rates), "0.5, which its patterns come to, or none")
        return settled

    def kept(
        self,
        sample_ids: Sequence[str],
        modalities: Sequence[str],
        rates: MissingRates,
        seeds: Sequence[int],
        split: str,
    ) -> Bools:
        """One draw a sample chooses its pattern."""
        possible = list(self.shares(modalities, rates, len(sample_ids)))
        kept = np.array([[name in pattern for name in modalities] for pattern in possible])
        draws = uniform_draws(sample_ids, "mmin", seeds, split)
        return np.asarray(kept[np.floor(draws * len(possible)).astype(int)])

    def shares(self, modalities: Sequence[str], rates: MissingRates, num_samples: int) -> dict[Pattern, float]:
        """All patterns but the full one alike."""
        del num_samples
        full, *others = patterns(modalities)
        return dict.fromkeys(others, 1 / len(others)) if rates else {full: 1.0}


PROTOCOL = Mmin()
