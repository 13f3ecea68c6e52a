"""Where and with what a sweep's trials are executed: a schedule becomes tasks, in this process or on Ray."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from orchestrator.address import check_address, check_fits, check_inline
from orchestrator.attempts import Attempts
from orchestrator.check import Question
from orchestrator.gpu_shares import gpu_kind
from orchestrator.inline import run_inline
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.resources import AUTO
from orchestrator.retries import Retries
from orchestrator.schedule import Schedule
from results.patient_files import StoreFullError, StoreUnavailableError
from results.store import Store
from search_spaces.errors import SweepStoppedError
from search_spaces.spec import canonical_json
from trainables.attempt import Attempt
from trainables.build import raw_root
from trainables.code_version import running_versions
from trainables.extensions import Extensions
from trainables.resolve import Resolved
from trainables.task import TrialTask

__all__ = ["Execution"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How the trials of one call of `Sweep.run` are executed.

    Attributes:
        store: where results go.
        cache: absolute folder of prepared data.
        shared_cache: folder or bucket URL in which machines share prepared data; "" for none.
        resources: of one trial, as `checked_resources` returned them.
        extensions: the user's own classes.
        inline: in this process, one after the other, without ray.
        address: a running Ray cluster; None starts a local one.
        max_concurrent: most trials at once.
        retries: how often a trial is handed out again after its worker died.
        gpu_shares: `gpu_kind` -> share of a GPU, where that was left to a measurement.
    """

    store: Store
    cache: str
    resources: Mapping[str, Any]
    extensions: Extensions
    shared_cache: str = ""
    inline: bool = False
    address: str | None = None
    max_concurrent: int | None = None
    retries: int = 2
    gpu_shares: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Find out whether there is a place for these trials before anything starts.

        Raises:
            MmptError: this machine is too small; or the cluster does not answer or lets nobody in, no node can hold a
                trial, or a node has other code or another store.
        """
        if self.inline:
            check_inline(self.resources)
        elif self.address is None:
            check_fits(self.resources)
        else:
            check_address(self.address)
            from orchestrator.admission import admit  # noqa: PLC0415 (in-process sweeps work without ray)

            question = Question(store=self.store.root, cache=self.cache, resources=self.resources)
            admit(self.address, question)

    def measured(self, plan: Plan) -> "Execution":
        """Return the same with a share of a GPU for every kind of trial, if the user has left that to a measurement.

        Raises:
            MmptError: there is no GPU to measure on.
        """
        if self.resources.get("gpus") != AUTO or not plan.todo:
            return self
        if self.inline:  # nobody else uses it
            return replace(self, resources={**self.resources, "gpus": 1})
        from orchestrator.measuring import measured_shares  # noqa: PLC0415 (ray, see above)

        whole = replace(self, resources={**self.resources, "gpus": 1})
        shares = measured_shares(plan.todo, self.store, whole.task, self.extensions, self.address)
        return replace(self, gpu_shares=shares)

    def work_off(self, schedule: Schedule) -> None:
        """Run what the schedule hands out until it is exhausted.

        Raises:
            MmptError: the cluster cannot be joined or can never hold one trial.
            SweepStoppedError: the cluster or the store is gone, or a disk is full.
        """
        try:
            self._work_off(schedule)
        except (StoreFullError, StoreUnavailableError) as error:
            raise SweepStoppedError(f"{error}; what is done is kept") from error

    def _work_off(self, schedule: Schedule) -> None:
        first = Attempt()
        store = Store(self.store.root, patience_seconds=first.patience_seconds)
        attempts = Attempts(schedule, self.task, store, Retries(self.retries, first))
        if self.inline:
            run_inline(attempts)
            return
        if not schedule.plan.todo:
            return
        from orchestrator.run import run_on_ray  # noqa: PLC0415 (in-process sweeps work without ray)

        run_on_ray(
            attempts,
            self.task,
            resources={**self.resources, "gpus": min(self.gpu_shares.values(), default=self.resources.get("gpus", 0))},
            extensions=self.extensions,
            address=self.address,
            max_concurrent=self.max_concurrent,
        )

    def task(self, trial: PlannedTrial) -> TrialTask:
        """Say what a worker is told of a planned trial."""
        return TrialTask(
            trial_id=trial.trial_id,
            spec=trial.spec.to_config(),
            store=self.store.root,
            cache=self.cache,
            shared_cache=self.shared_cache,
            fingerprint=trial.fingerprint,
            data_root=raw_root(trial.spec),
            requires=dict(trial.requires),
            keep_model=trial.keep_model,
            cpus=self.resources.get("cpus", 1),
            gpus=self.gpu_shares[gpu_kind(trial)] if self.gpu_shares else self.resources.get("gpus", 0),
            memory=self.resources.get("memory", 0),
            labels=self.resources.get("labels", {}),
            custom=self.resources.get("custom", {}),
            versions=_driver_versions(),
            workers=int(self.resources.get("workers_per_trial", 1)),
        )

    def question(self, trials: Iterable[Resolved], tracking: str) -> Question:
        """Return what these trials need of every node: each of their data sets and encoders once.

        Raises:
            MmptError: a data set cannot be found on this machine.
        """
        kinds = {(one.fingerprint, canonical_json(dict(one.spec.encoders))): one for one in trials}
        tasks = (
            TrialTask(
                trial_id=one.trial_id,
                spec=one.spec.to_config(),
                store=self.store.root,
                cache=self.cache,
                fingerprint=one.fingerprint,
                data_root=raw_root(one.spec),
                shared_cache=self.shared_cache,
            )
            for one in kinds.values()
        )
        return Question(
            store=self.store.root,
            cache=self.cache,
            tracking=tracking,
            address=self.address,
            resources=self.resources,
            tasks=tuple(task.to_config() for task in tasks),
            datasets=self.extensions.get("datasets", {}),
        )


@cache
def _driver_versions() -> dict[str, str]:
    return running_versions()
