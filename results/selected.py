"""What is read of selected trials and kept for the next table: their predictions and their whole-trial facts."""

from collections.abc import Collection, Mapping

from results.data import StoreData
from results.testbed import Profile

__all__ = ["SelectedTrials"]

_PROFILE_BYTES = 256_000_000  # of trials' predictions kept in memory


class SelectedTrials:
    """Some trials of a store, of which each thing is read once.

    Args:
        data: the store's content.
        trial_ids: which trials, in portions that are read together.
        route: of the predictions.
    """

    def __init__(self, data: StoreData, trial_ids: Mapping[str, Collection[str]], route: str) -> None:
        self._data = data
        self._portions = trial_ids
        self._route = route
        self._facts: dict[str, dict[str, dict[str, float]]] = {}
        self._profiles: dict[str, Profile] = {}
        self._profile_bytes = 0

    def facts(self, portion: str) -> Mapping[str, Mapping[str, float]]:
        """Return the facts of a portion's trials: trial id -> name -> value."""
        if portion not in self._facts:
            self._facts[portion] = self._data.facts(self._portions[portion])
        return self._facts[portion]

    def profile(self, trial_id: str) -> Profile:
        """Return a trial's predictions on test; those read earlier are dropped if they grow large."""
        if trial_id not in self._profiles:
            if self._profile_bytes > _PROFILE_BYTES:
                self._profiles.clear()
                self._profile_bytes = 0
            self._profiles[trial_id] = self._data.profile(trial_id, route=self._route)
            self._profile_bytes += sum(part.nbytes for part in self._profiles[trial_id].parts.values())
        return self._profiles[trial_id]
