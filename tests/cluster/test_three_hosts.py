"""A sweep over three hosts with own addresses, while one loses its power and another its network for a while."""

import logging
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import machine_room
import numpy as np
import pytest
import yaml
from machine_room import SHARED, MachineRoom

from results.store import Store

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(machine_room.why_impossible()), reason=machine_room.why_impossible()),
]

ROOT = Path(__file__).parents[2]
SWEEP = ("smoke", "--set", "epochs=100", "--seeds", "3")
NUM_TRIALS = 9
MOST_ATTEMPTS = 3  # a trial whose machine is lost may have to wait for the next call of the same command
NOTICED_FAST = " ".join(
    f"RAY_health_check_{name}" for name in ("period_ms=1000", "timeout_ms=3000", "failure_threshold=5")
)
WATCH = """
import os, sys, time, ray
ray.init(address="auto", log_to_driver=False)
while True:
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(" ".join(node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]))
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    time.sleep(0.5)
"""
_log = logging.getLogger(__name__)


class Cluster:
    """The machine room's Ray cluster, handled from the laptop as `examples/cluster.local.yaml` tells users to."""

    def __init__(self, room: MachineRoom) -> None:
        self.room = room
        self.file = f"{SHARED}/cluster.yaml"
        config = yaml.safe_load((ROOT / "examples" / "cluster.local.yaml").read_text(encoding="utf-8"))
        workers = [room.addresses[name] for name in ("first", "second")]
        config["provider"].update(head_ip=room.addresses["head"], worker_ips=workers)
        config["auth"] = {"ssh_user": "root", "ssh_private_key": f"{SHARED}/ssh/key"}
        # The environment is there already: these hosts see this machine's, read-only, and reach no package index.
        line = f"export PATH={Path(sys.executable).parent}:$PATH PYTHONPATH=$HOME/mmpt-sweep"
        config["setup_commands"] = [f"echo '{line}' > ~/.bashrc"]
        one_trial_each = "ray start --num-cpus=1 --object-store-memory=100000000"
        for key in ("head_start_ray_commands", "worker_start_ray_commands"):
            config[key] = [
                command.replace("ray start", one_trial_each).replace("RAY_AUTH_MODE", f"{NOTICED_FAST} RAY_AUTH_MODE")
                for command in config[key]
            ]
        (room.shared / "cluster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def ray(self, *words: str) -> str:
        return self.room.run("laptop", "ray", *words, folder=str(ROOT), timeout_seconds=300)

    def up(self) -> None:
        self.ray("up", "--yes", "--no-config-cache", self.file)
        self.room.start("head", "python", "-c", WATCH, f"{SHARED}/alive", output=subprocess.DEVNULL)
        wait_until(lambda: self.alive() == {"head", "first", "second"}, "three nodes", 300)

    def submit(self, *words: str, output: IO[str]) -> subprocess.Popen[str]:
        script = str(ROOT / "examples" / "submit.py")
        command = ["ray", "submit", "--no-config-cache", self.file, script, "--", *words, "--store", f"{SHARED}/store"]
        return self.room.start("laptop", *command, folder=str(ROOT), output=output)

    def alive(self) -> set[str]:
        """The hosts that the head believes in."""
        seen = self.room.shared / "alive"
        addresses = seen.read_text(encoding="utf-8").split() if seen.exists() else []
        return {name for name, address in self.room.addresses.items() if address in addresses}

    def is_training(self, host: str) -> bool:
        asked = ["pgrep", "--full", r"^ray::\w*Trainable\.train"]
        return self.room.start(host, *asked, output=subprocess.DEVNULL).wait(timeout=60) == 0


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + seconds, f"still no {what} after {seconds:.0f} s"
        time.sleep(0.2)
    _log.info("%s after %.1f s", what, time.monotonic() - begin)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    visible = [ROOT, Path(sys.prefix), Path(sys.base_prefix)]
    with MachineRoom(tmp_path, ["laptop", "head", "first", "second"], visible) as room:
        made = Cluster(room)
        made.up()
        yield made


def test_a_lost_host_and_a_cut_network_change_no_number(cluster: Cluster, tmp_path: Path) -> None:
    store = Store(str(cluster.room.shared / "store"))
    codes: list[int] = []
    while not codes or (codes[-1] and len(codes) < MOST_ATTEMPTS):
        log = tmp_path / f"attempt-{len(codes)}.log"
        with log.open("w", encoding="utf-8") as output:
            sent = cluster.submit("run", *SWEEP, "--address", "auto", "--tracking-uri", "none", output=output)
            if not codes:
                disturb(cluster, store)
            codes.append(sent.wait(timeout=900))
        _log.info("attempt %d ended with %d, %d trials done", len(codes), codes[-1], len(store.done_ids()))
    assert codes[-1] == 0, log.read_text(encoding="utf-8")[-3000:]
    assert not store.failures()
    status = shlex.join(["python", "-m", "orchestrator", "status", *SWEEP, "--store", f"{SHARED}/store"])
    assert f"{NUM_TRIALS} done, 0 failed, 0 corrupt, 0 missing" in cluster.ray("exec", cluster.file, status)
    cluster.ray("down", "--yes", cluster.file)
    assert not cluster.is_training("head")
    assert_equal(store, undisturbed(tmp_path / "alone"))


def disturb(cluster: Cluster, store: Store) -> None:
    """Cut one worker's power and another's network while they train; then plug the network in again."""
    for host in ("head", "first", "second"):
        wait_until(lambda host=host: cluster.is_training(host), f"trial on {host}", 300)
    wait_until(lambda: len(store.checkpoint_ids()) >= 2, "second checkpoint", 300)
    cluster.room.power_off("first")
    wait_until(lambda: "first" not in cluster.alive(), "notice of first's lost power", 120)
    wait_until(lambda: cluster.is_training("second"), "trial on second", 300)
    cluster.room.cut("second")
    wait_until(lambda: "second" not in cluster.alive(), "notice of second's lost network", 120)
    cluster.room.mend("second")


def undisturbed(folder: Path) -> Store:
    """The same sweep on this machine alone."""
    command = [sys.executable, "-m", "orchestrator", "run", *SWEEP, "--inline", "--tracking-uri", "none"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "--store", str(folder)], env=environment, check=True, capture_output=True, cwd=ROOT)
    return Store(str(folder))


def assert_equal(one: Store, other: Store) -> None:
    assert one.done_ids() == other.done_ids()
    assert len(one.done_ids()) == NUM_TRIALS
    for mine, theirs in zip(one.records(), other.records(), strict=True):
        assert mine.spec == theirs.spec
        assert set(mine.logits) == set(theirs.logits)
        for key, logits in mine.logits.items():
            np.testing.assert_array_equal(logits, theirs.logits[key], err_msg=f"{mine.spec.method} {key}")
