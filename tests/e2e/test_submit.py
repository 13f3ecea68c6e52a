"""`mmpt submit` to a real cluster that asks for a token."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dashboard_cluster
import pytest

from results.store import Store

pytestmark = pytest.mark.slow

TOKEN = "of-these-tests-only"


class Dashboard(NamedTuple):
    address: str
    environment: dict[str, str]

    def submit(self, *options: str, **changes: str) -> tuple[int, str]:
        """Send the smoke sweep and wait for what comes of it."""
        command = [sys.executable, "-m", "orchestrator", "submit", "smoke", "--address", self.address, *options]
        environment = {**self.environment, **changes}
        sent = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=300, check=False)
        return sent.returncode, sent.stdout + sent.stderr


@pytest.fixture(scope="module")
def dashboard(cache: Path) -> Iterator[Dashboard]:
    environment = {
        **os.environ,
        "MMPT_CACHE": str(cache),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
    }
    process = subprocess.Popen(
        [sys.executable, dashboard_cluster.__file__],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, "the cluster does not start"
    yield Dashboard(address, environment)
    process.communicate(timeout=60)


def test_a_sweep_is_sent_once_and_its_code_with_it(dashboard: Dashboard, tmp_path: Path) -> None:
    options = ["--store", str(tmp_path / "store"), "--tracking-uri", "none"]
    code, said = dashboard.submit(*options, "--follow", RAY_ADDRESS="another.cluster:6379")
    assert code == 0, said
    assert "3 trained, 0 cached" in said
    assert "has succeeded" in said
    assert len(Store(str(tmp_path / "store")).done_ids()) == 3
    code, said = dashboard.submit(*options, "--follow")
    assert code == 0
    assert "there is nothing to do" in said


def test_the_code_that_is_shipped_is_the_code_that_runs(dashboard: Dashboard, tmp_path: Path) -> None:
    """A folder whose `orchestrator` does nothing but fail with 7 stands for changes that only this machine has."""
    package = tmp_path / "changed" / "orchestrator"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text("import sys; sys.exit(7)\n")
    (package / "__init__.py").touch()
    (package / "kept_here.log").write_text("large")
    (tmp_path / "changed" / ".gitignore").write_text("*.log\n")
    options = ["--store", str(tmp_path / "store"), "--code", str(tmp_path / "changed"), "--follow"]
    assert dashboard.submit(*options)[0] == 7
    (package / "__main__.py").write_text("import os, sys; sys.exit(8 + os.path.exists('orchestrator/kept_here.log'))\n")
    code, said = dashboard.submit(*options)
    assert code == 8
    assert "-2; mmpt-smoke-" in said


@pytest.mark.parametrize("changes", [{"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_TOKEN": "another"}])
def test_a_missing_or_wrong_token_is_explained(dashboard: Dashboard, tmp_path: Path, changes: dict[str, str]) -> None:
    code, said = dashboard.submit("--store", str(tmp_path / "store"), **changes)
    assert code == 2
    assert "asks for the cluster's token: set RAY_AUTH_MODE=token" in said
    assert TOKEN not in said
    assert "Traceback" not in said
