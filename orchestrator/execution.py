"""Where and with what a sweep's trials are executed: a schedule becomes tasks, in this process or on Ray."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.address import check_address, check_fits
from orchestrator.attempts import Attempts
from orchestrator.inline import run_inline
from orchestrator.plan import PlannedTrial
from orchestrator.retries import Retries
from orchestrator.schedule import Schedule
from results.patient_files import StoreFullError, StoreUnavailableError
from results.store import Store
from search_spaces.errors import SweepStoppedError
from trainables.attempt import Attempt
from trainables.build import raw_root
from trainables.task import TrialTask

__all__ = ["Execution"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How the trials of one call of `Sweep.run` are executed.

    Attributes:
        store: where results go.
        cache: absolute folder of prepared data.
        shared_cache: folder or bucket URL in which machines share prepared data; "" for none.
        resources: `cpus` and `gpus` of one trial.
        extensions: the user's own classes, {"methods": {key: class}, "datasets": {key: class}}.
        inline: in this process, one after the other, without ray.
        address: a running Ray cluster; None starts a local one.
        max_concurrent: most trials at once.
        retries: how often a trial is handed out again after its worker died.
    """

    store: Store
    cache: str
    resources: Mapping[str, float]
    extensions: Mapping[str, Mapping[str, type]]
    shared_cache: str = ""
    inline: bool = False
    address: str | None = None
    max_concurrent: int | None = None
    retries: int = 2

    def check(self) -> None:
        """Find out whether there is a place for one trial before anything starts.

        Raises:
            MmptError: nothing answers at the address, or this machine is too small.
        """
        if self.inline:
            return
        if self.address is None:
            check_fits(self.resources)
        else:
            check_address(self.address)

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
            resources=self.resources,
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
            gpus=self.resources.get("gpus", 0),
        )
