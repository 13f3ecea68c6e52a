"""Labels, memory, custom resources and different shares on a real cluster of two nodes; and a full cluster."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray
import toys
from faulty_nodes import plant_command
from ray.cluster_utils import Cluster

from orchestrator import waiting
from orchestrator.attempts import Attempts
from orchestrator.cluster import joined_cluster
from orchestrator.events import Listener
from orchestrator.execution import Execution
from orchestrator.measuring import measured_shares
from orchestrator.plan import make_plan
from orchestrator.retries import Retries
from orchestrator.run import run_on_ray
from orchestrator.schedule import Schedule
from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces.errors import MmptError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A node labelled a10, and one labelled h200 that has a licence and something that calls itself a GPU."""
    commands = tmp_path_factory.mktemp("bin") / "bin"
    plant_command(commands, "nvidia-smi", "0, NVIDIA H200, 143771, 12")
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "labels": {"gpu": "a10"}})
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    made.add_node(num_cpus=1, num_gpus=1, labels={"gpu": "h200"}, resources={"licence": 1}, env_vars={"PATH": path})
    yield made
    made.shutdown()


class Waits(Listener):
    """Remembers what was waited for; the first time, it does something about it."""

    def __init__(self, cure: Any = None) -> None:
        self.said: list[str] = []
        self._cure = cure

    def waiting(self, what: str, seconds: float) -> None:
        assert seconds > 0
        self.said.append(what)
        if self._cure and len(self.said) == 1:
            self._cure()


def sweep(folder: Path, seed: int, **resources: Any) -> Sweep:
    taken = {"cpus": 1, **resources}
    return Sweep([toys.spec(seed=seed)], store=folder, tracking="none", datasets=toys.DATASETS, resources=taken)


def test_labels_memory_and_custom_resources_choose_the_node(cluster: Cluster, tmp_path: Path) -> None:
    wanted = {"memory": 0.1, "labels": {"gpu": "h200"}, "custom": {"licence": 1}}
    outcome = sweep(tmp_path / "store", 0, **wanted).run(address=cluster.address)
    assert len(outcome.trained) == 1
    for wrong, message in (
        ({"labels": {"gpu": "h100"}}, "no node has the label gpu=h100; nodes have gpu=a10, gpu=h200"),
        ({"labels": {"gpu": "a10"}, "custom": {"licence": 1}}, "has 1 CPU, 0 licence"),
        ({"gpus": 1, "labels": {"gpu": "a10"}}, "has 1 CPU, 0 GPU"),
    ):
        with pytest.raises(MmptError, match=message):
            sweep(tmp_path / "none", 0, **wrong).run(address=cluster.address)
    assert not (tmp_path / "none").exists(), "refused before anything was written"


def test_a_full_cluster_is_waited_for_and_it_is_said(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label matters: while the a10 node is taken, a trial for h200 starts at once and one for a10 waits."""
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 1.0)

    class Holder:
        def ping(self) -> bool:
            return True

    class TakesTheNode(Listener):
        def sweep_started(self, plan: Any) -> None:
            with joined_cluster(cluster.address):
                detached = {"lifetime": "detached", "name": "holder", "namespace": "holding"}
                make: Any = ray.remote(num_cpus=1)(Holder).options(label_selector={"gpu": "a10"}, **detached)
                assert ray.get(make.remote().ping.remote())

    def release() -> None:
        ray.kill(ray.get_actor("holder", namespace="holding"))

    waits = Waits(release)
    outcome = sweep(tmp_path / "a10", 1, labels={"gpu": "a10"}).run(
        address=cluster.address, listeners=[TakesTheNode(), waits]
    )
    assert len(outcome.trained) == 1
    assert waits.said[0] == "1 CPU (1 of 2 free) on a node with gpu=a10"


def test_trials_of_one_sweep_may_have_different_shares(cluster: Cluster, tmp_path: Path, cache: Path) -> None:
    """Warm workers are kept for trials of the same shape only, and none stands in the way of the others."""
    made = sweep(tmp_path / "store", 2)
    made.store.prepare()
    specs = [toys.spec(method, seed=seed) for method in ("naive", "mtl") for seed in (3, 4)]
    schedule = Schedule(make_plan("shapes", specs))
    execution = Execution(store=made.store, cache=str(cache), resources={"cpus": 1}, extensions={})
    extensions = made._extensions

    def task(trial: Any) -> Any:
        return replace(execution.task(trial), cpus=1 if trial.spec.method == "naive" else 0.5)

    attempts = Attempts(schedule, task, made.store, Retries(0))
    run_on_ray(attempts, task, resources={"cpus": 0.5}, extensions=extensions, address=cluster.address)
    outcome = schedule.end()
    assert len(outcome.trained) == 4, outcome.failed


def test_what_a_gpu_cannot_measure_gets_all_of_it(
    cluster: Cluster, store: Store, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The node's GPU is a stand-in: nvidia-smi knows it, torch does not."""
    made = sweep(Path(store.root), 5)
    plan = made.plan()
    execution = Execution(store=store, cache=str(cache), resources={"cpus": 1, "gpus": 1}, extensions={})
    shares = measured_shares(plan.todo, store, execution.task, made._extensions, cluster.address)
    assert list(shares.values()) == [1.0]
    assert "CUDA sees none" in caplog.text
