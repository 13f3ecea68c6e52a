"""The attempts at a schedule's trials: tries again, waits for what other sweeps train, keeps why trials failed."""

import time
from collections.abc import Callable

from orchestrator.plan import PlannedTrial
from orchestrator.retries import CURES, Retries
from orchestrator.schedule import Schedule
from results.leases import Lease, LeaseWatch
from results.store import Failure, Store
from search_spaces.errors import SweepStoppedError
from trainables.attempt import Problem
from trainables.task import TrialTask

__all__ = ["Attempts"]

WATCH_SECONDS = 2.0
"""Leases of other sweeps are looked at this often, all at once."""


class Attempts:
    """Hands out a schedule's trials and takes them back, for either executor.

    Args:
        schedule: what is ready; kept up to date.
        make_task: planned trial -> what its worker is told.
        store: where failures and leases are.
        retries: what comes after an attempt that did not finish.
    """

    def __init__(
        self,
        schedule: Schedule,
        make_task: Callable[[PlannedTrial], TrialTask],
        store: Store,
        retries: Retries,
    ) -> None:
        self.schedule = schedule
        self._make_task = make_task
        self._store = store
        self._retries = retries
        self._watched: dict[str, tuple[PlannedTrial, LeaseWatch]] = {}
        self._looked = 0.0

    def next(self) -> tuple[PlannedTrial, TrialTask] | None:
        """Hand out the next trial that is ready; None if there is none now."""
        self._look()
        trial = self.schedule.next_ready()
        return None if trial is None else (trial, self._retries.next_task(self._make_task(trial)))

    def ended(self, trial: PlannedTrial, problem: Problem) -> None:
        """Decide what comes after an attempt that did not finish its trial.

        Raises:
            SweepStoppedError: no other trial could go on either.
        """
        verdict = self._retries.after(trial.trial_id, problem)
        if verdict == "again":
            self.schedule.again(trial, problem.error)
        elif verdict == "watch":
            self._watch(trial)
        elif verdict == "stop":
            self.schedule.again(trial, problem.error)
            raise SweepStoppedError(f"{problem.error}; {CURES[problem.cause]}, then the same command goes on")
        else:
            self._keep(trial, problem)
            self.schedule.failed(trial, problem.error)

    def _keep(self, trial: PlannedTrial, problem: Problem) -> None:
        if problem.cause in {"method", "gpu_memory"}:  # its worker has written it down
            return
        failure = Failure(
            trial_id=trial.trial_id,
            error=problem.error,
            traceback=problem.traceback,
            spec=trial.spec.to_config(),
            earlier=self._retries.errors(trial.trial_id)[:-1],
        )
        self._store.write_failure(failure)

    def _watch(self, trial: PlannedTrial) -> None:
        lease = self._store.leases().get(trial.trial_id)
        if lease is None:
            self._settle(trial, None)
            return
        self._watched[trial.trial_id] = (trial, LeaseWatch(lease))
        self.schedule.elsewhere(trial, str(lease.process))

    def _look(self) -> None:
        """See what has become of the trials that other sweeps train, if it is time to."""
        if not self._watched or time.monotonic() - self._looked < WATCH_SECONDS:
            return
        leases = self._store.leases()
        for trial, watch in list(self._watched.values()):
            lease = leases.get(trial.trial_id)
            if watch.is_over(lease):
                del self._watched[trial.trial_id]
                self._settle(trial, lease)
        self._looked = time.monotonic()

    def _settle(self, trial: PlannedTrial, lease: Lease | None) -> None:
        """Nobody else trains a trial any more: it is done, or ours."""
        models = self._store.model_ids() if trial.keep_model else {trial.trial_id}
        if trial.trial_id in models and self._store.is_done(trial.trial_id):
            self.schedule.found(trial)
            return
        if lease is not None:
            self._retries.take_over(trial.trial_id, lease.state)
        self.schedule.again(trial)
