"""Faults below a sweep: dead stores, full disks, memory that runs out; attempts are bounded and their errors kept."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import toys
from inline_sweeps import work_off

from orchestrator.cli import main
from orchestrator.events import Outcome
from orchestrator.plan import make_plan
from orchestrator.schedule import Schedule
from results.patient_files import StoreUnavailableError
from results.store import Failure, Store
from search_spaces.errors import MmptError, SweepStoppedError
from trainables import trial as trial_module
from trainables.devices import Compute
from trainables.loop import TrainingLoop
from trainables.workers import Workers


def fail_after_an_epoch(monkeypatch: pytest.MonkeyPatch, times: int, error: Callable[[], Exception]) -> list[int]:
    """Let so many attempts fail where they save their second epoch's checkpoint; tell the first epoch of each."""
    began: list[int] = []
    epochs, write = TrainingLoop.epochs, Store.write_checkpoint

    def noted(loop: TrainingLoop) -> object:
        began.append(loop.epoch)
        return epochs(loop)

    def failing(store: Store, trial_id: str, data: bytes) -> None:
        if len(began) <= times and store.read_checkpoint(trial_id) is not None:
            raise error()
        write(store, trial_id, data)

    monkeypatch.setattr(TrainingLoop, "epochs", noted)
    monkeypatch.setattr(Store, "write_checkpoint", failing)
    return began


def test_a_store_that_fails_for_too_long_costs_an_attempt_not_the_trial(
    store: Store, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = toys.spec(epochs=5)
    undisturbed = Store(str(tmp_path / "undisturbed"))
    work_off([spec], undisturbed, cache)
    began = fail_after_an_epoch(monkeypatch, 2, lambda: StoreUnavailableError("the store is away"))
    outcome, told = work_off([spec], store, cache)
    assert began == [0, 1, 1], "the second and third attempts went on from the checkpoint"
    assert told.retried == ["StoreUnavailableError: the store is away"] * 2
    (trial_id,) = outcome.trained
    record, expected = store.read_trial(trial_id), undisturbed.read_trial(trial_id)
    assert record.facts["earlier_attempts"] == told.retried
    for key, logits in expected.logits.items():
        np.testing.assert_array_equal(record.logits[key], logits)


def test_attempts_are_bounded_and_their_errors_kept(store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = fail_after_an_epoch(monkeypatch, 9, lambda: StoreUnavailableError("the store is away"))
    outcome, _ = work_off([toys.spec(epochs=5), toys.spec("mtl")], store, cache)
    assert len(began) == 3 + 1
    (failure,) = store.failures().values()
    assert outcome.failed == {failure.trial_id: "StoreUnavailableError: the store is away"}
    assert list(failure.earlier) == ["StoreUnavailableError: the store is away"] * 2
    assert str(failure) == "StoreUnavailableError: the store is away (after 3 attempts)"


def test_memory_that_runs_out_is_tried_with_a_whole_gpu(
    store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def cramped(cpus: float, gpus: float, workers: Workers) -> Compute:
        given.append(gpus)
        if gpus < 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return Compute(torch.device("cpu"), bfloat16=False, workers=workers)

    monkeypatch.setattr(trial_module, "set_up_compute", cramped)
    outcome, _ = work_off([toys.spec()], store, cache, gpus=0.25)
    assert given == [0.25, 1]
    (trial_id,) = outcome.trained
    assert store.read_trial(trial_id).facts["earlier_attempts"] == ["OutOfMemoryError: CUDA out of memory"]
    assert not store.failures()


def test_a_full_disk_ends_the_sweep_and_loses_nothing(
    store: Store, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [toys.spec(seed=seed) for seed in range(3)]
    flush, left = os.fsync, [14]  # enough for the first trial

    def full(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(SweepStoppedError, match=r"has no room left.*No space left on device.*free some space"):
            work_off(specs, store, cache)
    done = store.done_ids()
    assert 0 < len(done) < 3
    assert store.corrupt() == {}
    assert store.failures() == {}
    outcome, _ = work_off(specs, store, cache)
    assert len(outcome.trained) == 3 - len(done)


def test_a_sweep_that_stops_has_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise SweepStoppedError("the disk is full")

    monkeypatch.setattr("orchestrator.execution.run_inline", stop)
    command = ["run", "smoke", "--inline", "--store", str(tmp_path / "s"), "--tracking-uri", "none"]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 4
    assert "mmpt: the disk is full" in capsys.readouterr().err


def test_a_disk_that_is_full_at_the_start_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Store, "write_plan", full)
    command = ["run", "smoke", "--inline", "--store", str(tmp_path / "s"), "--tracking-uri", "none"]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    assert "nothing was started: [Errno 28] No space left on device" in capsys.readouterr().err


def test_trials_that_are_not_accounted_for_are_told() -> None:
    schedule = Schedule(make_plan("p", [toys.spec(seed=seed) for seed in range(2)]))
    trial = schedule.next_ready()
    assert trial is not None
    assert isinstance(schedule.end(), Outcome)
    schedule._done.add(trial.trial_id)
    with pytest.raises(MmptError, match=f"2 trials were planned, but 1 done.* 2 pending.*add up: {trial.trial_id}"):
        schedule.end()


def test_failures_of_older_versions_can_be_read(store: Store) -> None:
    old = {"trial_id": "a" * 16, "error": "e", "traceback": "t", "spec": {}}
    store.files.write(json.dumps(old).encode(), "failures", f"{'a' * 16}.json")
    assert store.failures() == {"a" * 16: Failure(**old)}
