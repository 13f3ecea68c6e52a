from collections.abc import Sequence
from pathlib import Path

import pytest
import toys
from tasks import task_of

from orchestrator.attempts import Attempts
from orchestrator.events import Listener, Outcome
from orchestrator.inline import run_inline
from orchestrator.plan import Plan, PlannedTrial, make_plan
from orchestrator.retries import Retries
from orchestrator.schedule import Schedule
from results.schema import HistoryRow
from results.store import Store
from search_spaces import TrialSpec
from trainables.methods.unimodal import Unimodal


class Recorder(Listener):
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def sweep_started(self, plan: Plan) -> None:
        self.events.append(("sweep", "started"))

    def trial_started(self, trial: PlannedTrial) -> None:
        self.events.append((trial.spec.method, "started"))

    def trial_progressed(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        assert rows
        self.events.append((trial.spec.method, "progressed"))

    def trial_finished(self, trial: PlannedTrial) -> None:
        self.events.append((trial.spec.method, "finished"))

    def trial_failed(self, trial: PlannedTrial, error: str) -> None:
        self.events.append((trial.spec.method, f"failed {error}"))

    def trial_skipped(self, trial: PlannedTrial, because: str) -> None:
        self.events.append((trial.spec.method, "skipped"))

    def sweep_ended(self, outcome: Outcome) -> None:
        self.events.append(("sweep", "ended"))


def sweep(specs: list[TrialSpec], store: Store, cache: Path, *, fail_fast: bool = False) -> tuple[Outcome, Recorder]:
    recorder = Recorder()
    plan = make_plan("p", specs, done_ids=store.done_ids(), model_ids=store.model_ids())
    schedule = Schedule(plan, [recorder], fail_fast=fail_fast)
    schedule.begin()

    run_inline(Attempts(schedule, lambda trial: task_of(trial, store, cache), store, Retries()))
    return schedule.end(), recorder


def test_a_failure_skips_its_descendants_and_nothing_else(store: Store, cache: Path) -> None:
    specs = [toys.spec(method) for method in ("grand_orphan", "naive", "diverging")]
    outcome, recorder = sweep(specs, store, cache)
    assert len(outcome.trained) == 1
    assert sorted(error.split(":")[0] for error in outcome.failed.values()) == ["TrialDivergedError", "ValueError"]
    assert len(outcome.skipped) == 2
    assert ("orphan", "skipped") in recorder.events
    assert ("grand_orphan", "skipped") in recorder.events
    assert set(store.failures()) == set(outcome.failed)
    assert not outcome.pending


def test_a_failed_teacher_is_the_reason_why_its_student_is_skipped(
    store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no expert today")

    monkeypatch.setattr(Unimodal, "losses", fail)
    outcome, recorder = sweep([toys.spec("umt"), toys.spec("naive")], store, cache)
    assert len(outcome.trained) == 1
    assert set(outcome.skipped.values()) <= set(outcome.failed)
    assert len(outcome.skipped) == 1
    assert ("umt", "skipped") in recorder.events


def test_a_student_gets_its_teachers_weights(store: Store, cache: Path) -> None:
    outcome, recorder = sweep([toys.spec("student")], store, cache)
    assert len(outcome.trained) == 2
    assert recorder.events.index(("naive", "finished")) < recorder.events.index(("student", "started"))
    again, recorder = sweep([toys.spec("student")], store, cache)
    assert not again.trained
    assert recorder.events == [("sweep", "started"), ("sweep", "ended")]


def test_fail_fast_starts_nothing_after_a_failure(store: Store, cache: Path) -> None:
    outcome, recorder = sweep([toys.spec("raising", seed=seed) for seed in range(3)], store, cache, fail_fast=True)
    assert len(outcome.failed) == 1
    assert len(outcome.pending) == 2
    assert recorder.events.count(("raising", "started")) == 1


def test_a_failed_trial_that_succeeds_later_is_no_failure_any_more(
    store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, _ = sweep([toys.spec("raising")], store, cache)
    assert outcome.failed
    monkeypatch.setattr(toys.Raising, "losses", toys.Naive.losses)
    outcome, _ = sweep([toys.spec("raising")], store, cache)
    assert not outcome.failed
    assert not store.failures()
