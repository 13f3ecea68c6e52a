"""The Ray executor: one Tune experiment per few hundred trials, released by the plan, on warm actors."""

import inspect
import logging
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import cloudpickle, tune
from ray.tune.experiment import Trial as TuneTrial

from orchestrator.cluster import joined_cluster
from orchestrator.node_preparation import prepare_on_nodes
from orchestrator.plan import PlannedTrial
from orchestrator.schedule import Schedule
from orchestrator.searcher import PlanSearcher
from results.schema import HistoryRow
from results.store import Failure, Store
from trainables.task import TrialTask
from trainables.trainable import Extensions, trainable_with

__all__ = ["TRIALS_PER_EXPERIMENT", "run_on_ray"]

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # colours

TRIALS_PER_EXPERIMENT = 500
"""Tune keeps about 300 KB per finished trial in the driver and never drops it (ray issue 64231)."""

_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no five files per trial
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # resuming is planning again, so Tune's own snapshots serve nobody
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}


def run_on_ray(
    schedule: Schedule,
    make_task: Callable[[PlannedTrial], TrialTask],
    *,
    store: Store,
    resources: Mapping[str, float],
    extensions: Extensions,
    address: str | None = None,
    max_concurrent: int | None = None,
) -> None:
    """Work off a schedule on a Ray cluster.

    Args:
        schedule: what is ready; updated as trials end.
        make_task: planned trial -> what its worker is told.
        store: where failures of dead workers are kept.
        resources: `cpus` and `gpus` of one trial.
        extensions: the user's own classes.
        address: a running cluster; None starts a local one and ends it.
        max_concurrent: most trials at once; by default as many as the cluster holds.

    Raises:
        MmptError: no cluster answers at `address`, or it can never hold one trial.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    _ship_by_value(extensions)
    with joined_cluster(address, resources) as capacity, tempfile.TemporaryDirectory(prefix="mmpt-tune-") as folder:
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failures are the schedule's to report
        one_of_each = {trial.fingerprint: trial for trial in schedule.plan.todo}
        prepare_on_nodes([make_task(trial) for trial in one_of_each.values()], extensions.get("datasets", {}))
        while not schedule.exhausted:
            searcher = PlanSearcher(schedule, lambda trial: make_task(trial).to_config(), TRIALS_PER_EXPERIMENT)
            tuner = tune.Tuner(
                tune.with_resources(
                    trainable_with(extensions), {"cpu": resources.get("cpus", 1), "gpu": resources.get("gpus", 0)}
                ),
                tune_config=tune.TuneConfig(
                    search_alg=searcher,
                    num_samples=min(schedule.num_pending, TRIALS_PER_EXPERIMENT),
                    max_concurrent_trials=max_concurrent or capacity,
                    reuse_actors=True,
                ),
                run_config=tune.RunConfig(
                    name="sweep",
                    storage_path=folder,
                    callbacks=[_ScheduleCallback(schedule, searcher, store)],
                    verbose=0,
                ),
            )
            tuner.fit()


def _one_line(report: str) -> str:
    """Return the gist of what Ray reports of a trial that left no failure of its own."""
    lines = [line.strip() for line in _ESCAPES.sub("", report).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Failure #")]
    if not lines:
        return "the worker died without a report"
    return f"the worker died: {lines[0]}" if "died" in lines[0] else lines[-1]


def _ship_by_value(extensions: Extensions) -> None:
    """Let the user's classes travel to workers with their code: their modules need not be importable there."""
    for entries in extensions.values():
        for entry in entries.values():
            module = inspect.getmodule(entry)
            if module is not None and module.__name__ != "__main__":
                cloudpickle.register_pickle_by_value(module)


class _ScheduleCallback(tune.Callback):
    """Tells the schedule what Tune sees, in the driver."""

    def __init__(self, schedule: Schedule, searcher: PlanSearcher, store: Store) -> None:
        self._schedule = schedule
        self._searcher = searcher
        self._store = store

    def on_trial_start(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """Forward the start."""
        del iteration, trials, info
        self._schedule.started(self._planned(trial))

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: dict[str, Any], **info: Any
    ) -> None:
        """Forward new history rows."""
        del iteration, trials, info
        self._schedule.progressed(self._planned(trial), [HistoryRow(*row) for row in result.get("rows", ())])

    def on_trial_complete(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A trial ended by itself, so it is in the store."""
        del iteration, trials, info
        self._schedule.finished(self._planned(trial))

    def on_trial_error(self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any) -> None:
        """A trial raised, or its worker died without a word: then the driver writes the failure down."""
        del iteration, trials, info
        planned = self._planned(trial)
        failure = self._store.failures().get(planned.trial_id)
        if failure is None:
            report = Path(trial.error_file).read_text(encoding="utf-8") if trial.error_file else "no report"
            failure = Failure(
                trial_id=planned.trial_id,
                error=_one_line(report),
                traceback=report,
                spec=planned.spec.to_config(),
            )
            self._store.write_failure(failure)
        self._schedule.failed(planned, failure.error)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its parts in order to restore them; nothing here is ever restored."""
        return {}

    def _planned(self, trial: TuneTrial) -> PlannedTrial:
        return self._searcher.trials[trial.trial_id]
