from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
import yaml

from orchestrator.autoscaling import nodes_to_come

ROOT = Path(__file__).parents[2]
HEAD = {"NodeID": "head", "Alive": True, "Resources": {"CPU": 0.0, "node:__internal_head__": 1.0}, "Labels": {}}
WORKER = {"Alive": True, "Resources": {"CPU": 4.0, "GPU": 1.0}, "Labels": {"ray.io/node-group": "gpu_worker"}}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def join(monkeypatch: pytest.MonkeyPatch, nodes: list[dict[str, Any]], here: str = "head") -> None:
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: SimpleNamespace(get_node_id=lambda: here))


def put_cluster_file(home: Path, name: str) -> None:
    (home / "ray_bootstrap_config.yaml").write_bytes((ROOT / name).read_bytes())


def test_an_empty_cluster_counts_what_its_file_allows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_cluster_file(home, "cluster.yaml")
    join(monkeypatch, [HEAD])
    assert list(nodes_to_come()) == [{"CPU": 4, "GPU": 1}] * 4
    join(monkeypatch, [HEAD, {**WORKER, "NodeID": "one"}, {**WORKER, "NodeID": "lost", "Alive": False}])
    assert len(list(nodes_to_come())) == 3


@pytest.mark.parametrize("here", ["head", "one"])
def test_elsewhere_nothing_is_to_come(here: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that lies on a worker, or on no head at all, is of another cluster."""
    if here == "one":
        put_cluster_file(home, "cluster.yaml")
    join(monkeypatch, [HEAD, {**WORKER, "NodeID": "one"}], here)
    assert not list(nodes_to_come())


def test_the_prepared_file_of_own_machines_promises_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = {"available_node_types": {"local.cluster.node": {"resources": {}, "max_workers": 2}}}
    (home / "ray_bootstrap_config.yaml").write_text(yaml.safe_dump(prepared), encoding="utf-8")
    join(monkeypatch, [HEAD])
    assert not [resources for resources in nodes_to_come() if resources]
