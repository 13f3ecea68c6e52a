"""Sweeps of toys in this process, and what they told."""

from dataclasses import replace
from pathlib import Path

from tasks import task_of

from orchestrator.attempts import Attempts
from orchestrator.events import Listener, Outcome
from orchestrator.inline import run_inline
from orchestrator.plan import PlannedTrial, make_plan
from orchestrator.retries import Retries
from orchestrator.schedule import Schedule
from results.store import Store
from search_spaces import TrialSpec
from trainables.attempt import Attempt
from trainables.task import TrialTask

ATTEMPT = Attempt(patience_seconds=0.05)


class Told(Listener):
    def __init__(self) -> None:
        self.elsewhere: list[str] = []
        self.found: list[str] = []
        self.retried: list[str] = []

    def trial_elsewhere(self, trial: PlannedTrial, holder: str) -> None:
        self.elsewhere.append(holder)

    def trial_found(self, trial: PlannedTrial) -> None:
        self.found.append(trial.trial_id)

    def trial_retried(self, trial: PlannedTrial, error: str) -> None:
        self.retried.append(error)


def make_task(trial: PlannedTrial, store: Store, cache: Path) -> TrialTask:
    return task_of(trial, store, cache, checkpoint_seconds=0)


def work_off(
    specs: list[TrialSpec], store: Store, cache: Path, *, told: Told | None = None, gpus: float = 0
) -> tuple[Outcome, Told]:
    told, own = told or Told(), Store(store.root)
    plan = make_plan("p", specs, done_ids=own.done_ids(), model_ids=own.model_ids())
    schedule = Schedule(plan, [told])
    retries = Retries(first=ATTEMPT)
    run_inline(Attempts(schedule, lambda trial: replace(make_task(trial, own, cache), gpus=gpus), own, retries))
    return schedule.end(), told
