"""Sweeps on a real local Ray cluster: the same numbers as in process, failures contained, nothing lost."""

import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import toys

from orchestrator.events import Listener, Outcome
from orchestrator.execution import _driver_versions
from orchestrator.plan import PlannedTrial
from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces import TrialSpec
from search_spaces.errors import SweepStoppedError
from trainables.code_version import running_versions

pytestmark = pytest.mark.slow

SPECS = [
    *(toys.spec(method, seed=seed, p_train=0.2) for method in ("naive", "mtl") for seed in (0, 1)),
    toys.spec("dropout", "toy_triple", method_params={"modality": "left"}),
    toys.spec("student"),
]


def sweep(specs: Sequence[TrialSpec], folder: Path, cache: Path) -> Sweep:
    methods = [toys.Student, toys.Raising, toys.Orphan, toys.Suicidal]
    return Sweep(
        specs, store=folder, name="test", tracking="none", cache=cache, methods=methods, datasets=toys.DATASETS
    )


def assert_equal_logits(one: Store, other: Store) -> None:
    assert one.done_ids() == other.done_ids()
    for mine, theirs in zip(one.records(), other.records(), strict=True):
        assert set(mine.logits) == set(theirs.logits)
        for key, logits in mine.logits.items():
            np.testing.assert_array_equal(logits, theirs.logits[key], err_msg=f"{mine.spec.method} {key}")


def test_ray_and_in_process_give_identical_logits_warm_or_fresh(tmp_path: Path, cache: Path) -> None:
    """Seven trials on two workers are warm from the third on; in process each finds another predecessor."""
    on_ray = sweep(SPECS, tmp_path / "ray", cache)
    in_process = sweep(SPECS[::-1], tmp_path / "inline", cache)
    assert len(on_ray.run().trained) == len(SPECS) + 1, "the student's teacher comes on top"
    assert not in_process.run(inline=True).failed
    assert_equal_logits(on_ray.store, in_process.store)


class Order(Listener):
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.outcome: Outcome | None = None

    def trial_started(self, trial: PlannedTrial) -> None:
        self.events.append((trial.spec.method, "started"))

    def trial_finished(self, trial: PlannedTrial) -> None:
        self.events.append((trial.spec.method, "finished"))


def test_failures_are_contained_and_requirements_kept(tmp_path: Path, cache: Path) -> None:
    order = Order()
    specs = [toys.spec(method, seed=9) for method in ("student", "raising", "orphan", "suicidal")]
    made = sweep(specs, tmp_path / "store", cache)
    outcome = made.run(listeners=[order])
    assert len(outcome.trained) == 2
    assert order.events.index(("naive", "finished")) < order.events.index(("student", "started"))
    errors = sorted(outcome.failed.values())
    assert errors[0].startswith("ValueError: the method raised")
    assert errors[1].startswith("the worker died")
    assert len(outcome.skipped) == 1
    assert set(made.store.failures()) == set(outcome.failed)
    assert not outcome.pending
    assert made.store.done_ids() == outcome.done


def test_a_worker_that_cannot_begin_ends_the_sweep_and_costs_no_trial(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a node, which may join while a sweep runs, is free at once: it would fail one trial after the other."""
    made = sweep(SPECS, tmp_path / "store", cache)
    with monkeypatch.context() as other_code:
        driver_has = {**running_versions(), "torch": "1.0"}
        other_code.setattr("orchestrator.execution.running_versions", lambda: driver_has)
        _driver_versions.cache_clear()
        with pytest.raises(SweepStoppedError) as stopped:
            made.run()
    refusal = rf"node {platform.node()} cannot train for this sweep, it has torch \S+ instead of 1.0; give that node "
    assert re.match(refusal, str(stopped.value))
    assert not made.store.failures()
    _driver_versions.cache_clear()
    assert len(made.run().trained) == len(SPECS) + 1


@pytest.fixture
def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "MMPT_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


def driver(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "orchestrator", "run", "smoke", "--store", str(folder), "--tracking-uri", "none"]
    command += ["--set", "epochs=6", "--seeds", "3", "--max-concurrent", "1"]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def finished_lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return (line for line in process.stdout if line.startswith("["))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_driver_that_dies_loses_nothing_and_repeats_nothing(
    how: signal.Signals, tmp_path: Path, environment: dict[str, str]
) -> None:
    broken = Store(str(tmp_path / "broken"))
    process = driver(tmp_path / "broken", environment)
    lines = finished_lines(process)
    for _ in range(3):
        next(lines)
    os.kill(process.pid, how)
    asked = time.monotonic()
    code = process.wait(timeout=60)
    if how is signal.SIGINT:
        assert code == 130
        assert time.monotonic() - asked < 20
    process.communicate()
    done = {
        trial_id: (tmp_path / "broken" / "trials" / trial_id / "DONE").stat().st_mtime_ns
        for trial_id in broken.done_ids()
    }
    assert 3 <= len(done) < 9
    again = driver(tmp_path / "broken", environment)
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert f"{len(done)} cached" in said
    unchanged = {key: (tmp_path / "broken" / "trials" / key / "DONE").stat().st_mtime_ns for key in done}
    assert unchanged == done
    undisturbed = driver(tmp_path / "undisturbed", environment)
    undisturbed.communicate(timeout=300)
    assert_equal_logits(broken, Store(str(tmp_path / "undisturbed")))
