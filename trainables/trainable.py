"""The Ray Tune trainable: the only file of this package that knows ray. One actor serves many trials."""

import platform
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, ClassVar

from ray import tune

from results.schema import HistoryRow
from search_spaces.errors import MmptError
from trainables.attempt import problem_of
from trainables.catalogs import DATASETS, METHODS
from trainables.code_version import differences, running_versions
from trainables.task import TrialTask
from trainables.trial import Trial

__all__ = ["Extensions", "TrialTrainable", "add_extensions", "trainable_with"]

Extensions = Mapping[str, Mapping[str, type[Any]]]
"""A user's own classes, {"methods": {key: class}, "datasets": {key: class}}, shipped to workers by value."""

REPORT_SECONDS = 1.0
"""Epochs are reported to the driver in groups at most this often: Tune's loop costs milliseconds per report."""


class TrialTrainable(tune.Trainable):
    """Runs `Trial`s given as `TrialTask` configs; a reused actor gives the same numbers as a fresh one."""

    _task: TrialTask
    _trial: Trial
    _epochs: Generator[list[HistoryRow], None, None] | None
    _raised: Exception | None
    extensions: ClassVar[Extensions] = MappingProxyType({})

    def setup(self, config: dict[str, Any]) -> None:
        """Take a task; nothing is built before the first step.

        Raises:
            MmptError: this node, which may have joined the cluster since the sweep started, has other code or packages.
        """
        if different := differences(config["versions"], running_versions() if config["versions"] else {}):
            raise MmptError(f"node {platform.node()} cannot train for this sweep, it has {'; '.join(different)}")
        add_extensions(self.extensions)
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next task in the same process."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Go on for about `REPORT_SECONDS` and return the new history rows; `done` is true after the last.

        What ends an attempt is told as plain data first, `problem`, and raised in the next step: Ray's own report of an
        exception is a text and a pickle. The exception ends this process, of whose state nobody knows; a trial that
        another sweep trains was not begun, so that the process may take the next one.
        """
        if self._raised is not None:
            raise self._raised
        rows: list[HistoryRow] = []
        try:
            done = self._advance(rows)
        except Exception as error:  # noqa: BLE001 (raised in the next step)
            self._raised = error
            problem = problem_of(error)
            return {"rows": rows, "done": problem.cause == "leased", "problem": asdict(problem)}
        return {"rows": rows, "done": done, "found": done and self._trial.found}

    def _advance(self, rows: list[HistoryRow]) -> bool:
        """Add the next history rows; True after the last."""
        if self._epochs is None:
            self._trial = Trial(self._task)
            self._epochs = self._trial.epochs()
        deadline = time.perf_counter() + REPORT_SECONDS
        while time.perf_counter() < deadline:
            more = next(self._epochs, None)
            if more is None:
                return True
            rows.extend(more)
        return False

    def _begin(self, config: dict[str, Any]) -> None:
        self._task = TrialTask.from_config(config)
        self._epochs = None
        self._raised = None

    def cleanup(self) -> None:
        """Give up what an unfinished trial holds: its lease."""
        if self._epochs is not None:
            self._epochs.close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Do nothing: a trial's epoch checkpoints are in the store, where any worker finds them."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Do nothing, see `save_checkpoint`."""


def add_extensions(extensions: Extensions) -> None:
    """Let this process know a user's own classes."""
    for catalog, kind in ((METHODS, "methods"), (DATASETS, "datasets")):
        for key, entry in extensions.get(kind, {}).items():
            catalog.add(entry, key)


def trainable_with(extensions: Extensions) -> type[TrialTrainable]:
    """Return the trainable that also knows a user's own classes."""
    if not any(extensions.values()):
        return TrialTrainable
    return type("ExtendedTrialTrainable", (TrialTrainable,), {"extensions": extensions})
