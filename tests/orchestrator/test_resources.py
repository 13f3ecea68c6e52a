"""What a trial takes: what is allowed, what fits on which node, and what is measured."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import toys

from orchestrator.address import check_fits
from orchestrator.bundles import trial_bundles
from orchestrator.capacity import NodeRoom, capacity_for
from orchestrator.cli import main
from orchestrator.gpu_shares import gpu_shares, share_for
from orchestrator.plan import PlannedTrial, make_plan
from orchestrator.resources import amounts, checked_resources
from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces.errors import InvalidValueError, MmptError
from trainables.code_version import code_hash, running_versions
from trainables.memory_probe import MemoryUse
from trainables.task import TrialTask
from trainables.trainable import TrialTrainable

GIB = 1024**3


@pytest.mark.parametrize(
    ("given", "exact"),
    [("1/3", 1 / 3), (0.33, 1 / 3), (0.34, 1 / 3), ("0.5", 0.5), (1, 1.0), ("0", 0), ("auto", "auto")],
)
def test_shares_of_a_gpu_divide_it_evenly(given: Any, exact: Any) -> None:
    assert checked_resources({"gpus": given}) == {"gpus": exact}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"gpus": 0.4},
            r"gpus: 0.4 is not allowed; expected 0, 1/4, 1/3, 1/2, 1 or more .* or auto; the nearest is 1/3",
        ),
        ({"gpus": "0.1"}, "the nearest is 1/4"),
        ({"gpus": 2.5}, "the nearest is 1"),
        ({"gpus": 2, "workers_per_trial": 3}, "gpus: 2 is not allowed; expected 1 where workers_per_trial"),
        ({"gpus": 0.5, "workers_per_trial": 2}, "one GPU for each"),
        ({"workers_per_trial": 1.5}, "a whole number of workers"),
        ({"gpus": -1}, "the nearest is 1/4"),
        ({"gpus": "all"}, "gpus: 'all' is not allowed"),
        ({"gpus": "1/0"}, "gpus: '1/0' is not allowed"),
        ({"gpus": float("nan")}, "gpus: nan is not allowed"),
        ({"cpus": 1.5}, "whole CPUs or part of one"),
        ({"cpus": 0}, "whole CPUs or part of one"),
        ({"memory": -1}, "GiB of main memory"),
        ({"labels": {"gpu": ""}}, "label=value pairs"),
        ({"custom": {"GPU": 1}}, "have options of their own"),
        ({"custom": {"licence": 0}}, "name=amount pairs"),
        ({"memry": 1}, "did you mean 'memory'"),
    ],
)
def test_what_strands_capacity_or_means_nothing_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(MmptError, match=message):
        checked_resources(wrong)


def test_whole_gpus_are_workers() -> None:
    assert checked_resources({"gpus": 4}) == {"gpus": 1, "workers_per_trial": 4}
    assert checked_resources({"gpus": "2", "workers_per_trial": 2}) == {"gpus": 1, "workers_per_trial": 2}


def test_amounts_are_rays() -> None:
    taken = {"cpus": 2, "gpus": 0.5, "memory": 4, "labels": {"gpu": "h200"}, "custom": {"licence": 1}}
    assert amounts(taken) == {"CPU": 2, "GPU": 0.5, "memory": 4 * GIB, "licence": 1}
    assert amounts({"cpus": 1, "gpus": 0}) == {"CPU": 1}


def node(gpu: str = "", **amounts: float) -> NodeRoom:
    return NodeRoom(amounts, {"gpu": gpu} if gpu else {})


def test_a_worker_is_never_spread_over_nodes_but_a_trial_of_several_is() -> None:
    nodes = [node(CPU=4), node(CPU=4), node(CPU=4, GPU=1)]
    assert capacity_for(nodes, {"cpus": 3, "workers_per_trial": 2}) == 1
    assert capacity_for(nodes, {"cpus": 2, "workers_per_trial": 3}) == 2
    with pytest.raises(MmptError, match="one trial needs 4 workers with 3 CPU each; the cluster has room for 3"):
        capacity_for(nodes, {"cpus": 3, "workers_per_trial": 4})
    assert capacity_for(nodes, {"cpus": 3}) == 3
    assert capacity_for(nodes, {"cpus": 1, "gpus": 0.5}) == 2
    with pytest.raises(MmptError, match="one trial needs 6 CPU; the largest node of the cluster has 4 CPU"):
        capacity_for(nodes, {"cpus": 6})


def test_capacity_counts_memory_and_custom_resources_and_labels() -> None:
    nodes = [node("h200", CPU=8, GPU=2, memory=64 * GIB), node("a10", CPU=8, GPU=4, memory=16 * GIB, licence=1)]
    assert capacity_for(nodes, {"cpus": 0.5, "gpus": 1 / 3}) == 18
    assert capacity_for(nodes, {"gpus": 1, "memory": 16}) == 3
    assert capacity_for(nodes, {"gpus": 1, "custom": {"licence": 1}}) == 1
    assert capacity_for(nodes, {"gpus": 1, "labels": {"gpu": "h200"}}) == 2
    with pytest.raises(MmptError, match="no node has the label gpu=h100; nodes have gpu=a10, gpu=h200"):
        capacity_for(nodes, {"gpus": 1, "labels": {"gpu": "h100"}})
    with pytest.raises(MmptError, match=r"needs 1 CPU, 1 GPU, 90\.0 GiB of memory; .* has 8 CPU, 4 GPU, 16\.0 GiB"):
        capacity_for(nodes, {"gpus": 1, "memory": 90})


@pytest.mark.parametrize("inline", [False, True], ids=["on ray", "inline"])
def test_no_gpu_where_one_is_asked_for_is_said_before_anything_starts(inline: bool, tmp_path: Path) -> None:
    sweep = Sweep([toys.spec()], store=tmp_path / "store", tracking="none", resources={"cpus": 1, "gpus": "1/2"})
    with pytest.raises(
        MmptError, match=r"one trial needs 0\.5 GPU, this machine has 0: take less, for instance --gpus 0"
    ):
        sweep.run(inline=inline)
    assert not (tmp_path / "store").exists()


def test_more_cpus_than_there_are(tmp_path: Path) -> None:
    with pytest.raises(MmptError, match="one trial needs 9999 CPU, this machine has"):
        check_fits({"cpus": 9999})


def test_the_command_line_reads_shares_labels_and_resources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong, message in (
        (["--gpus", "0.4"], "the nearest is 1/3"),
        (["--gpus-per-trial", "x"], "gpus: 'x' is not allowed"),
        (["--label", "gpu"], "--label: 'gpu' is not allowed; expected NAME=VALUE"),
        (["--resource", "licence=none"], "custom licence: 'none' is not allowed"),
        (["--memory", "lots"], "memory: 'lots' is not allowed"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["run", "smoke", "--inline", "--store", str(tmp_path / "store"), *wrong])
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_a_task_says_what_its_trial_takes() -> None:
    task = TrialTask(trial_id="t", spec={}, store="/s", cache="/c", cpus=2, gpus=0.25, memory=1, labels={"gpu": "h200"})
    placed = trial_bundles(task.to_config())
    assert placed.bundles == [{"CPU": 2.0, "GPU": 0.25, "memory": float(GIB)}]
    assert placed == trial_bundles(task.to_config()), "equal ones share warm workers"
    other = trial_bundles(TrialTask(trial_id="t", spec={}, store="/s", cache="/c", cpus=2, gpus=1).to_config())
    assert placed != other


@pytest.mark.parametrize(
    ("peak", "total", "share"),
    [(1, 24, 1 / 4), (4, 24, 1 / 4), (5, 24, 1 / 3), (8, 24, 1 / 2), (12, 24, 1.0), (30, 24, 1.0), (20, 141, 1 / 4)],
)
def test_the_smallest_share_that_holds_a_trial_is_chosen(peak: int, total: int, share: float) -> None:
    assert share_for(peak * GIB, total * GIB) == share


class Measured:
    """In place of a GPU: bytes by method, and how often each was asked for."""

    def __init__(self, gibibytes: Mapping[str, int]) -> None:
        self.gibibytes = gibibytes
        self.asked: list[str] = []

    def __call__(self, trial: PlannedTrial) -> MemoryUse:
        self.asked.append(trial.spec.method)
        if trial.spec.method not in self.gibibytes:
            raise MmptError("out of memory")
        return MemoryUse(self.gibibytes[trial.spec.method] * GIB, 24 * GIB)


def test_every_kind_of_trial_is_measured_once_and_remembered(store: Store) -> None:
    specs = [
        toys.spec(method, seed=seed, learning_rate=rate)
        for method in ("naive", "mtl")
        for seed in (0, 1)
        for rate in (1e-3, 1e-4)
    ]
    trials = make_plan("sweep", specs).trials
    measure = Measured({"naive": 2, "mtl": 8})
    shares = gpu_shares(trials, store, 24 * GIB, measure)
    assert sorted(shares.values()) == [0.25, 0.5]
    assert sorted(measure.asked) == ["mtl", "naive"]
    assert gpu_shares(trials, store, 12 * GIB, measure).values() != shares.values(), "a smaller card, larger shares"
    assert len(measure.asked) == 2, "remembered in the store"
    larger = make_plan("sweep", [toys.spec("naive", batch_size=128)]).trials
    gpu_shares(larger, store, 24 * GIB, measure)
    assert measure.asked[2:] == ["naive"], "another batch size is another kind"


def test_what_cannot_be_measured_gets_a_whole_gpu_and_is_said(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    trials = make_plan("sweep", [toys.spec("naive")]).trials
    assert list(gpu_shares(trials, store, 24 * GIB, Measured({})).values()) == [1.0]
    assert "naive on toy_pair cannot be measured, it gets a whole GPU: out of memory" in caplog.text


def test_auto_wants_a_gpu(tmp_path: Path) -> None:
    sweep = Sweep([toys.spec()], store=tmp_path / "store", tracking="none", resources={"gpus": "auto"})
    with pytest.raises(MmptError, match="one trial needs 1 GPU, this machine has 0"):
        sweep.run()
    with pytest.raises(InvalidValueError):
        Sweep([toys.spec()], store=tmp_path / "store", tracking="none", resources={"gpus": "automatic"})


def test_a_worker_with_other_code_refuses() -> None:
    """A node may join after the sweep has started."""
    versions = {**running_versions(), "mmpt code": "0" * 12}
    task = TrialTask(trial_id="t", spec={}, store="/s", cache="/c", versions=versions)
    worker = TrialTrainable.__new__(TrialTrainable)
    with pytest.raises(MmptError, match=rf"cannot train for this sweep, it has mmpt code {code_hash()} instead of 0+$"):
        worker.setup(task.to_config())
    worker.setup(replace(task, versions=running_versions()).to_config())
