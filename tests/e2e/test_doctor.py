"""The checks on a real cluster: two sound nodes, then a third on which everything is wrong."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import raw_toys
import toys
from faulty_nodes import can_mount, copied_code, node_with_own, plant_command, plant_package
from raw_toys import Loose, loose, make_loose
from ray import cloudpickle
from ray.cluster_utils import Cluster

from orchestrator.check import Finding, Question
from orchestrator.cli import main
from orchestrator.cluster import joined_cluster
from orchestrator.doctor import examine, refuse_problems
from orchestrator.ray_nodes import asked_nodes, node_names
from orchestrator.sweep import Sweep
from search_spaces import TrialSpec
from search_spaces.errors import MmptError
from trainables.dataset_identity import compute_fingerprint
from trainables.task import TrialTask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_mount(), reason="giving a node a disk of its own takes root on Linux"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current directory of the module; Ray's workers look for code there first."""
    made, before = tmp_path_factory.mktemp("driver"), Path.cwd()
    os.chdir(made)
    yield made
    os.chdir(before)


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    cloudpickle.register_pickle_by_value(raw_toys)  # as a sweep does with a user's own classes
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def faulty(folder: Path, cluster: Cluster) -> Iterator[str]:
    """The name of a third node with other code, an old package, a full card, and a folder of its own called `own`."""
    old = copied_code(folder / "old", changed="trainables/optim.py")
    plant_package(old, "transformers", "4.0.0")
    plant_command(folder / "bin", "nvidia-smi", "0, NVIDIA H200, 143771, 90000")
    with joined_cluster(cluster.address):
        sound = set(node_names().values())
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with node_with_own(folder / "own", cluster.address, {"PYTHONPATH": str(old), "PATH": path}):
        yield _other_than(sound, cluster.address)


def _other_than(sound: set[str], address: str) -> str:
    deadline = time.monotonic() + 90
    with joined_cluster(address):
        while not (new := set(node_names().values()) - sound):
            assert time.monotonic() < deadline, "the third node did not come up"
            time.sleep(0.1)
    (name,) = new
    return name


@pytest.fixture(scope="module")
def question(folder: Path, cluster: Cluster) -> Question:
    """Trials whose store, raw files and checkpoint all lie in the folder that the third node has not."""
    own = folder / "own"
    raw = make_loose(own / "raw")
    weights = own / "vit"
    weights.mkdir()
    for name in ("config.json", "model.safetensors"):
        (weights / name).write_text("{}")
    spec = TrialSpec(dataset="loose", method="naive", encoders={"left": f"vit:{weights}"}).to_config()
    task = TrialTask(
        trial_id="any",
        spec=spec,
        store=str(own / "store"),
        cache=str(own / "cache"),
        data_root=str(raw),
        fingerprint=compute_fingerprint(loose(raw)),
    )
    return Question(
        store=task.store,
        cache=task.cache,
        address=cluster.address,
        resources={"gpus": 1},
        tasks=(task.to_config(),),
        datasets={"loose": Loose},
    )


def wrong(findings: list[Finding]) -> dict[tuple[str, str], str]:
    """Return (check, node) -> what, of everything that is not well."""
    return {(one.check, one.node): one.what for one in findings if one.level != "ok"}


def test_on_sound_nodes_nothing_is_found_but_the_gpu_that_is_not_there(question: Question) -> None:
    found = wrong(examine(question))
    assert found == {("gpus", ""): "a trial needs 1 GPU and no node has one that torch can use"}
    assert not Path(question.store).exists(), "nothing is left behind"


def test_before_a_sweep_sound_nodes_are_checked_within_seconds(question: Question) -> None:
    with joined_cluster(question.address), asked_nodes() as nodes:
        began = time.monotonic()
        refuse_problems(nodes, question)
        assert time.monotonic() - began < 30
        assert len(nodes.names) == 2


def test_every_fault_of_a_node_is_found_there_and_nowhere_else(question: Question, faulty: str) -> None:
    findings = examine(question)
    found = wrong(findings)
    assert "transformers 4.0.0 instead of" in found["versions", faulty]
    assert "mmpt code" in found["versions", faulty]
    assert "is another folder there than on" in found["store", faulty]
    assert "has to be on this machine" in found["data", faulty]
    assert "vit" in found["checkpoints", faulty]
    assert "53771 of 143771 MiB free" in found["gpus", faulty]
    assert {node for _, node in found if node} == {faulty}
    assert all(one.cure for one in findings if one.level != "ok")


def test_a_sweep_does_not_start_there(folder: Path, question: Question, faulty: str) -> None:
    sweep = Sweep([toys.spec()], store=folder / "own" / "sweep", tracking="none", datasets=toys.DATASETS)
    with pytest.raises(MmptError) as caught:
        sweep.run(address=question.address)
    said = str(caught.value)
    assert f"node {faulty}: mmpt code" in said
    assert "is another folder there" in said
    assert not sweep.store.done_ids()
    assert not sweep.store.failures()


def test_the_command_says_it_in_json_and_in_its_exit_code(
    question: Question, faulty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--address", str(question.address), "--store", question.store, "--json"])
    assert ended.value.code == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert {one["node"] for one in said["findings"] if one["check"] == "versions" and one["level"] == "problem"} == {
        faulty
    }
