"""The Ray Tune trainable: the only file of this package that knows ray. One actor serves many trials."""

import platform
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, ClassVar

from trainables.quick_imports import quick_imports

with quick_imports():
    import ray
    from ray import tune
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    from results.schema import HistoryRow
    from search_spaces.errors import MmptError
    from trainables.attempt import WorkerLostError, problem_of
    from trainables.code_version import differences, running_versions
    from trainables.distributed import Meeting, joined, led
    from trainables.extensions import Extensions, add_extensions
    from trainables.task import TrialTask
    from trainables.trial import Trial
    from trainables.workers import ALONE, Workers

__all__ = ["TrialTrainable", "trainable_with"]

REPORT_SECONDS = 1.0
"""Epochs are reported to the driver in groups at most this often: Tune's loop costs milliseconds per report."""
_START_SECONDS = 300.0
"""For followers to start; their resources are there already."""
_END_SECONDS = 60.0
"""For followers to end by themselves once a trial is stored: they have nothing left to do."""


class Follower:
    """An actor for one more worker of trials; it stays for its leader's next trials."""

    def __init__(self, extensions: Extensions) -> None:
        add_extensions(extensions)

    def follow(self, config: dict[str, Any], meeting: Meeting, rank: int) -> None:
        """Do a worker's share of a trial."""
        task = TrialTask.from_config(config)
        with joined(meeting, rank, task.gpus) as workers:
            Trial(task, lambda: nullcontext(workers)).follow()


class TrialTrainable(tune.Trainable):
    """Runs `Trial`s given as `TrialTask` configs; a reused actor gives the same numbers as a fresh one.

    Where a trial has several workers, this one leads. It starts the others in its own placement group, one per bundle
    after the first, so that Tune grants all of them at once or none.
    """

    _task: TrialTask
    _trial: Trial
    _epochs: Generator[list[HistoryRow], None, None] | None
    _raised: Exception | None
    _followers: list[Any]
    _following: list[Any]
    extensions: ClassVar[Extensions] = MappingProxyType({})

    def setup(self, config: dict[str, Any]) -> None:
        """Take a task; nothing is built before the first step.

        Raises:
            MmptError: this node, which may have joined the cluster since the sweep started, has other code or packages.
        """
        if different := differences(config["versions"], running_versions() if config["versions"] else {}):
            raise MmptError(f"node {platform.node()} cannot train for this sweep, it has {'; '.join(different)}")
        add_extensions(self.extensions)
        self._followers, self._following = [], []
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
            self._trial = Trial(self._task, self._assembled)
            self._epochs = self._trial.epochs()
        deadline = time.perf_counter() + REPORT_SECONDS
        while time.perf_counter() < deadline:
            more = next(self._epochs, None)
            if more is None:
                self._dismiss()
                return True
            rows.extend(more)
        return False

    def _begin(self, config: dict[str, Any]) -> None:
        self._task = TrialTask.from_config(config)
        self._epochs = None
        self._raised = None

    def cleanup(self) -> None:
        """Give up what an unfinished trial holds, its lease, and end the followers."""
        if self._epochs is not None:
            self._epochs.close()
        self._end_followers()

    def _assembled(self) -> AbstractContextManager[Workers]:
        if self._task.workers == 1:
            return nullcontext(ALONE)
        return led(_address(), self._task.workers, self._task.gpus, self._call)

    def _call(self, meeting: Meeting) -> None:
        for rank in range(len(self._followers) + 1, meeting.number):
            self._followers.append(_follower(rank, self.extensions))
        try:
            ray.get([follower.__ray_ready__.remote() for follower in self._followers], timeout=_START_SECONDS)
        except ray.exceptions.RayError as error:
            raise WorkerLostError(f"a worker of the trial cannot be started: {error}") from error
        config = self._task.to_config()
        self._following = [
            follower.follow.remote(config, meeting, rank) for rank, follower in enumerate(self._followers, start=1)
        ]

    def _dismiss(self) -> None:
        """Keep the followers for the next trial if all of them are well."""
        if not self._following:
            return
        _, late = ray.wait(self._following, num_returns=len(self._following), timeout=_END_SECONDS)
        if late or any(_raised(reference) for reference in self._following):
            self._end_followers()
        self._following = []

    def _end_followers(self) -> None:
        for follower in self._followers:
            ray.kill(follower)
        self._followers = []

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Do nothing: a trial's epoch checkpoints are in the store, where any worker finds them."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Do nothing, see `save_checkpoint`."""


def _follower(rank: int, extensions: Extensions) -> Any:
    """Start an actor that takes the whole bundle `rank` of this actor's placement group."""
    group = ray.util.get_current_placement_group()
    assert group is not None, "a trial of several workers runs in a placement group of as many bundles"
    bundle = dict(group.bundle_specs[rank])
    place = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank)
    shares = {"num_cpus": bundle.pop("CPU", 0), "num_gpus": bundle.pop("GPU", 0), "memory": bundle.pop("memory", None)}
    decorate: Any = ray.remote(**shares, resources=bundle, scheduling_strategy=place)
    return decorate(Follower).remote(extensions)


def _address() -> str:
    """Return where this trial's workers reach this one: the loopback address if all of them are on this machine."""
    places = ray.util.placement_group_table(ray.util.get_current_placement_group())["bundles_to_node_id"]
    return "127.0.0.1" if len(set(places.values())) == 1 else str(ray.util.get_node_ip_address())


def _raised(reference: Any) -> bool:
    try:
        ray.get(reference)
    except ray.exceptions.RayError:
        return True
    return False


def trainable_with(extensions: Extensions) -> type[TrialTrainable]:
    """Return the trainable that also knows a user's own classes."""
    if not any(extensions.values()):
        return TrialTrainable
    return type("ExtendedTrialTrainable", (TrialTrainable,), {"extensions": extensions})
