"""The Ray executor: one Tune experiment per few hundred trials, released by the plan, on warm actors."""

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from ray import tune

from orchestrator.attempts import Attempts
from orchestrator.bundles import trial_bundles
from orchestrator.capacity import capacity_for, rooms
from orchestrator.cluster import joined_cluster
from orchestrator.cluster_guard import ClusterGuard, ClusterLostError
from orchestrator.node_preparation import prepare_on_nodes
from orchestrator.plan import PlannedTrial
from orchestrator.searcher import PlanSearcher
from orchestrator.shipping import ship_by_value
from orchestrator.tune_callback import ScheduleCallback
from orchestrator.waiting import WaitingCallback
from orchestrator.warm_workers import PatientScheduler, WarmWorkers
from trainables.attempt import Problem
from trainables.extensions import Extensions
from trainables.task import TrialTask
from trainables.trainable import trainable_with

__all__ = ["TRIALS_PER_EXPERIMENT", "run_on_ray"]

_log = logging.getLogger(__name__)

TRIALS_PER_EXPERIMENT = 5000
"""Tune keeps about 40 KB per finished trial in the driver and never drops it, more with its loggers (ray issue 64231);
workers end with their experiment."""
_CLUSTER_STARTS = 5
"""A local cluster of our own that dies is started again, until it has died so often."""

_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no five files per trial
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # resuming is planning again, so Tune's own snapshots serve nobody
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # what comes after a lost node is ours to decide
}


def run_on_ray(
    attempts: Attempts,
    make_task: Callable[[PlannedTrial], TrialTask],
    *,
    resources: Mapping[str, Any],
    extensions: Extensions,
    address: str | None = None,
    max_concurrent: int | None = None,
) -> None:
    """Work off a schedule on a Ray cluster.

    Args:
        attempts: what is ready; updated as trials end.
        make_task: planned trial -> what its worker is told, for preparing its data.
        resources: of one trial at least; its task says what it takes.
        extensions: the user's own classes.
        address: a running cluster; None starts a local one and ends it.
        max_concurrent: most trials at once; by default as many as the cluster holds.

    Raises:
        MmptError: no cluster answers at `address`, or it can never hold one trial.
        SweepStoppedError: the cluster is gone, or no trial can go on.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    ship_by_value(extensions)
    schedule = attempts.schedule
    one_of_each = {trial.fingerprint: trial for trial in schedule.plan.todo}
    for start in count(1):
        try:
            with ClusterGuard(schedule.end) as guard, joined_cluster(address):
                guard.watch(address)
                most = max_concurrent or capacity_for(rooms(), resources)
                prepare_on_nodes([make_task(trial) for trial in one_of_each.values()], extensions.get("datasets", {}))
                while not schedule.exhausted:
                    _fit(attempts, guard, trainable_with(extensions), resources, most)
        except ClusterLostError as lost:
            if address is not None or start == _CLUSTER_STARTS:
                raise
            _log.warning("%s; it is started again", lost)
            for trial in schedule.running:
                attempts.ended(trial, Problem(cause="node", error=str(lost)))
        else:
            return


def _fit(
    attempts: Attempts,
    guard: ClusterGuard,
    trainable: type[tune.Trainable],
    resources: Mapping[str, Any],
    max_concurrent: int,
) -> None:
    """Run one Tune experiment: as many trials as it may hold in memory, or all that are left."""
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failures are the schedule's to report
    workers = WarmWorkers(most_starts=max(1, int(sum(node.amounts.get("CPU", 0) for node in rooms()))))
    searcher = PlanSearcher(attempts, guard, TRIALS_PER_EXPERIMENT, workers)
    with tempfile.TemporaryDirectory(prefix="mmpt-tune-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(trainable, trial_bundles),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=PatientScheduler(),
                num_samples=TRIALS_PER_EXPERIMENT,
                max_concurrent_trials=max_concurrent,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=folder,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # a trial's are in the store
                callbacks=[ScheduleCallback(attempts, searcher, guard), WaitingCallback(attempts.schedule, resources)],
                verbose=0,
            ),
        )
        tuner.fit()
