"""The Ray Tune trainable: the only file of this package that knows ray. One actor serves many trials."""

import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ray import tune

from results.schema import HistoryRow
from trainables.catalogs import DATASETS, METHODS
from trainables.task import TrialTask
from trainables.trial import Trial

__all__ = ["Extensions", "TrialTrainable", "trainable_with"]

Extensions = Mapping[str, Mapping[str, type[Any]]]
"""A user's own classes, {"methods": {key: class}, "datasets": {key: class}}, shipped to workers by value."""

REPORT_SECONDS = 1.0
"""Epochs are reported to the driver in groups at most this often: Tune's loop costs milliseconds per report."""


class TrialTrainable(tune.Trainable):
    """Runs `Trial`s given as `TrialTask` configs; a reused actor gives the same numbers as a fresh one."""

    _task: TrialTask
    _epochs: Iterator[list[HistoryRow]] | None
    extensions: ClassVar[Extensions] = MappingProxyType({})

    def setup(self, config: dict[str, Any]) -> None:
        """Take a task; nothing is built before the first step."""
        for key, entry in self.extensions.get("methods", {}).items():
            METHODS.add(entry, key)
        for key, entry in self.extensions.get("datasets", {}).items():
            DATASETS.add(entry, key)
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next task in the same process."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Go on for about `REPORT_SECONDS` and return the new history rows; `done` is true after the last."""
        if self._epochs is None:
            self._epochs = Trial(self._task).epochs()
        rows: list[HistoryRow] = []
        deadline = time.perf_counter() + REPORT_SECONDS
        while time.perf_counter() < deadline:
            more = next(self._epochs, None)
            if more is None:
                return {"rows": rows, "done": True}
            rows.extend(more)
        return {"rows": rows, "done": False}

    def _begin(self, config: dict[str, Any]) -> None:
        self._task = TrialTask.from_config(config)
        self._epochs = None

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Do nothing: a trial's epoch checkpoints are in the store, where any worker finds them."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Do nothing, see `save_checkpoint`."""


def trainable_with(extensions: Extensions) -> type[TrialTrainable]:
    """Return the trainable that also knows a user's own classes."""
    if not any(extensions.values()):
        return TrialTrainable
    return type("ExtendedTrialTrainable", (TrialTrainable,), {"extensions": extensions})
