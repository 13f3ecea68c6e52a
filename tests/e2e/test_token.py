"""A cluster that wants a token: with the right one, a wrong one and none."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pytest
from answering_server import answering_server

from orchestrator.cli import main
from orchestrator.jobs_address import JobsError, jobs_version

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("aiohttp_cors") is None, reason="the dashboard is part of ray[default]"),
]
TOKEN = "a" * 64


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the dashboard of a cluster that was started with a token."""
    port, own_port = free_port(), free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", f"--port={port}", "--num-cpus=1"]
    command += [
        f"--dashboard-port={own_port}",
        "--include-dashboard=true",
        "--dashboard-agent-listen-port=0",
        "--block",
    ]
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=tmp_path_factory.mktemp("head"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not _answers(own_port):
        assert process.poll() is None, "the head ended"
        assert time.monotonic() < deadline, "the dashboard did not come up"
        time.sleep(0.1)
    yield f"http://127.0.0.1:{own_port}"
    process.terminate()
    process.wait(timeout=60)


def _answers(port: int) -> bool:
    try:
        jobs_version(f"http://127.0.0.1:{port}")
    except JobsError as error:
        return "HTTP" in str(error)
    return True


@pytest.mark.parametrize(
    ("token", "said"),
    [(TOKEN, "answers and lets us in"), ("b" * 64, "does not accept this token"), ("", "wants a token")],
    ids=["right", "wrong", "none"],
)
def test_the_dashboard_and_its_token(
    token: str, said: str, dashboard: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    output = StringIO()
    with redirect_stdout(output), pytest.raises(SystemExit) as ended:
        main(["doctor", "--address", dashboard, "--store", str(tmp_path / "store"), "--json"])
    assert ended.value.code == (0 if token == TOKEN else 1)
    text = output.getvalue()
    (found,) = [one for one in json.loads(text)["findings"] if one["check"] == "jobs" and said in one["what"]]
    assert found["level"] == ("ok" if token == TOKEN else "problem")
    assert TOKEN not in text


def test_a_sweep_without_the_token_is_refused_in_one_line(tmp_path: Path) -> None:
    """Ray finds that out before it says anything to whatever listens there."""
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}
    command = [sys.executable, "-m", "orchestrator", "run", "smoke", "--store", str(tmp_path / "store")]
    with answering_server() as head:
        command += ["--tracking-uri", "none", "--address", f"127.0.0.1:{head.server_port}"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 2
    assert "wants a token and there is none here" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "store").exists()
