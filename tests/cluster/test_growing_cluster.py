"""A sweep on a cluster that has no worker when it starts: the autoscaler brings them, as `cluster.yaml` expects."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import machine_room
import pytest
import yaml
from machine_room import HOME, SHARED, MachineRoom
from ray.autoscaler._private.fake_multi_node.node_provider import FAKE_HEAD_NODE_ID

from results.store import Store

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(machine_room.why_impossible()), reason=machine_room.why_impossible()),
]

ROOT = Path(__file__).parents[2]
GROWING = {
    "cluster_name": "growing",
    "max_workers": 2,
    "provider": {"type": "fake_multinode"},  # Ray's own, for tests: nodes are processes on the head's host
    "auth": {},
    "available_node_types": {
        "head": {"resources": {"CPU": 0}, "node_config": {}, "min_workers": 0, "max_workers": 0},
        "worker": {"resources": {"CPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": 2},
    },
    "head_node_type": "head",
    "idle_timeout_minutes": 5,
}
DRIVER = {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
HEAD = {
    **DRIVER,
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    "RAY_CLOUD_INSTANCE_ID": FAKE_HEAD_NODE_ID,
    "RAY_FAKE_CLUSTER": "1",
    "RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID,
    "RAY_enable_autoscaler_v2": "1",
}


def test_trials_wait_for_nodes_that_are_still_to_come(tmp_path: Path) -> None:
    """On a host of its own, since such a cluster takes Ray's usual ports and folders."""
    with MachineRoom(tmp_path, ["head"], [ROOT, Path(sys.prefix), Path(sys.base_prefix)]) as room:
        (room.shared / "growing.yaml").write_text(yaml.safe_dump(GROWING), encoding="utf-8")
        config = f"{HOME}/ray_bootstrap_config.yaml"  # as `ray up` does
        room.run("head", "cp", f"{SHARED}/growing.yaml", config)
        start = ["ray", "start", "--head", "--num-cpus=0", f"--autoscaling-config={config}"]
        room.run("head", *with_variables(HEAD, start))
        sweep = ["python", "-m", "orchestrator", "run", "smoke", "--address", "auto", "--tracking-uri", "none"]
        sweep += ["--store", f"{SHARED}/store"]
        said = room.run("head", *with_variables(DRIVER, sweep), timeout_seconds=600)
    assert "3 trained, 0 cached" in said
    assert len(Store(str(room.shared / "store")).done_ids()) == 3


def with_variables(variables: Mapping[str, str], command: Sequence[str]) -> list[str]:
    return ["env", *(f"{name}={value}" for name, value in variables.items()), *command]
