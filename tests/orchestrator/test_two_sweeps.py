"""Two sweeps on one store: no trial is trained twice, what the other one trains is waited for or taken over."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import toys
from inline_sweeps import ATTEMPT, Told, make_task, work_off

from orchestrator.plan import PlannedTrial, make_plan
from orchestrator.status import sweep_status
from results.leases import LeaseLostError
from results.processes import Process
from results.store import Store
from search_spaces import TrialSpec
from trainables.loop import TrainingLoop
from trainables.task import TrialTask
from trainables.trial import Trial

LEASE_SECONDS = 0.5


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("attempts", "inline"):
        monkeypatch.setattr(f"orchestrator.{module}.WATCH_SECONDS", 0.02)


def freeze_on_another_machine(trial: Trial) -> None:
    """Stop a training trial's heartbeat and let its lease be that of a process of which nothing is known here."""
    trial._lease._ended.set()
    trial._lease._thread.join()
    lease = trial.store.leases()[trial.task.trial_id]
    foreign = Process(host="elsewhere", pid=1, place="another boot", started="5")
    content = {**vars(lease), "process": vars(foreign), "seconds": LEASE_SECONDS}
    trial.store.files.write(json.dumps(content).encode(), "leases", lease.name)


def the_task(spec: TrialSpec, store: Store, cache: Path) -> TrialTask:
    (planned,) = make_plan("p", [spec]).trials
    return replace(make_task(planned, store, cache), attempt=ATTEMPT)


def test_two_sweeps_at_once_train_every_trial_once(store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []
    together = threading.Barrier(2)
    original = TrainingLoop.epochs

    def counted(loop: TrainingLoop) -> object:
        if loop.spec.seed not in trained and len(trained) < 2:
            together.wait(30)  # both sweeps are within their first trial
        trained.append(loop.spec.seed)
        return original(loop)

    monkeypatch.setattr(TrainingLoop, "epochs", counted)
    specs = [toys.spec(seed=seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(work_off, specs, store, cache) for _ in range(2)]
        outcomes = [end.result(60) for end in ends]
    assert sorted(trained) == [0, 1, 2, 3]
    assert sum(len(outcome.trained) for outcome, _ in outcomes) == 4
    assert all(len(outcome.done) == 4 for outcome, _ in outcomes)
    assert any(told.elsewhere for _, told in outcomes)
    assert store.leases() == {}
    assert store.files.names("leases") == []


def test_what_another_sweep_never_finishes_is_taken_over_from_its_checkpoint(store: Store, cache: Path) -> None:
    spec = toys.spec(epochs=4)
    task = the_task(spec, store, cache)
    theirs = Trial(task)
    training = theirs.epochs()
    next(training), next(training), next(training)
    freeze_on_another_machine(theirs)
    started = time.monotonic()
    outcome, told = work_off([spec], store, cache)
    assert time.monotonic() - started >= LEASE_SECONDS
    assert outcome.trained == {task.trial_id}
    assert told.elsewhere == ["process 1 on elsewhere"]
    training.close()


def test_an_owner_that_was_paused_notices_and_stores_nothing(store: Store, cache: Path) -> None:
    spec = toys.spec(epochs=4)
    task = the_task(spec, store, cache)
    paused = Trial(task)
    training = paused.epochs()
    next(training)
    freeze_on_another_machine(paused)
    work_off([spec], store, cache)
    folder = Path(store.root) / "trials" / task.trial_id / "DONE"
    written = folder.stat().st_mtime_ns
    with pytest.raises(LeaseLostError, match="what the new owner stores counts"):
        list(training)
    assert folder.stat().st_mtime_ns == written
    assert store.checkpoint_ids() == set()
    assert store.failures() == {}


HOLDER = """
import sys
from results.store import Store
Store(sys.argv[1]).take_lease(sys.argv[2], sweep="killed")
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_killed_process_of_this_machine_is_not_waited_for(store: Store, cache: Path) -> None:
    spec = toys.spec()
    task = the_task(spec, store, cache)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, store.root, task.trial_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        class Killing(Told):
            def trial_elsewhere(self, trial: PlannedTrial, holder_name: str) -> None:
                super().trial_elsewhere(trial, holder_name)
                holder.kill()

        outcome, told = work_off([spec], store, cache, told=Killing())
    assert told.elsewhere == [f"process {holder.pid} on {socket.gethostname()}"]
    assert outcome.trained == {task.trial_id}


def test_status_says_who_trains_what(store: Store, cache: Path) -> None:
    spec = toys.spec(epochs=4)
    task = the_task(spec, store, cache)
    training = Trial(task).epochs()
    next(training)
    plan = make_plan("p", [spec])
    status = sweep_status(plan, store)
    assert status.running == ((plan.trials[0], f"process {os.getpid()} on {socket.gethostname()}"),)
    assert not status.missing
    training.close()
    assert sweep_status(plan, store).missing == plan.trials
