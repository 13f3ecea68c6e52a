"""Reads from a store what MLflow shows of its trials."""

from orchestrator.mlflow_text import Child, done_child, failed_child
from results.schema import Samples, TrialRecord
from results.store import Failure, Store
from search_spaces.spec import TrialSpec

__all__ = ["Reader"]


class Reader:
    """Turns a store's trials into what MLflow shows of them; each data set's samples are read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._samples: dict[str, Samples] = {}

    def record(self, trial_id: str) -> TrialRecord:
        """Read a finished trial.

        Raises:
            StoreError: its files are missing or damaged.
        """
        return self.store.read_trial(trial_id)

    def done(self, record: TrialRecord) -> Child:
        """Derive what a finished trial shows.

        Raises:
            StoreError: the samples of its data set are missing.
        """
        fingerprint = str(record.facts["fingerprint"])
        if fingerprint not in self._samples:
            self._samples[fingerprint] = self.store.read_samples(fingerprint)
        return done_child(record, self._samples[fingerprint])

    def failed(self, failure: Failure) -> Child:
        """Read a failed trial."""
        return failed_child(failure)

    def ended(self, trial_id: str, spec: TrialSpec, error: str | None) -> Child:
        """Read a trial that finished, or that failed with this error; the store may say more of it.

        Raises:
            StoreError: it cannot be read.
        """
        if error is None:
            return self.done(self.record(trial_id))
        stored = self.store.failures().get(trial_id)
        return self.failed(stored or Failure(trial_id=trial_id, error=error, traceback="", spec=spec.to_config()))
