"""The example of a team's MLflow server: its commands exist in the installed versions, and it shows no secret."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
from mlflow.cli import cli

from orchestrator.cli import main

FOLDER = Path(__file__).parents[2] / "examples" / "mlflow-server"
SCRIPT = FOLDER / "serve.sh"
LINES = [
    line
    for block in re.findall(r"```console\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
]
SET = {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://mlflow@127.0.0.1/mlflow", "ARTIFACTS": "s3://bucket"}


def arguments(folder: Path, **variables: str) -> list[str]:
    """Return what the script calls `mlflow` with."""
    stand_in = folder / "mlflow"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **variables}
    ran = subprocess.run([str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ValueError(ran.stderr)
    return ran.stdout.splitlines()


def flags(command: click.Command) -> set[str]:
    return {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}


def test_the_script_calls_the_installed_mlflow_rightly(tmp_path: Path) -> None:
    given = arguments(tmp_path, **SET, NAME="mlflow.lab.example", HOST="10.0.0.5", PORT="5077")
    assert given[0] == "server"
    server = cli.commands["server"]
    assert {word for word in given if word.startswith("--")} <= flags(server)
    parsed = server.make_context("server", given[1:]).params
    assert parsed["artifacts_destination"] == "s3://bucket"
    assert (parsed["host"], parsed["port"]) == ("10.0.0.5", 5077)
    assert {"mlflow.lab.example", "mlflow.lab.example:5077"} < set(parsed["allowed_hosts"].split(","))
    assert "MLFLOW_BACKEND_STORE_URI" in {parameter.envvar for parameter in server.params}


def test_it_listens_on_loopback_unless_asked(tmp_path: Path) -> None:
    given = arguments(tmp_path, **SET)
    assert given[given.index("--host") + 1] == "127.0.0.1"
    assert "--allowed-hosts" not in given


@pytest.mark.parametrize("missing", list(SET))
def test_it_says_what_is_not_set(missing: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=missing):
        arguments(tmp_path, **{name: value for name, value in SET.items() if name != missing})


def test_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    given = arguments(tmp_path, **{**SET, "MLFLOW_BACKEND_STORE_URI": "postgresql://mlflow:tr0ub4dor@db/mlflow"})
    assert "tr0ub4dor" not in " ".join(given)


def test_the_commands_of_its_page_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(cli.commands["db"], click.Group)
    assert "upgrade" in cli.commands["db"].commands
    lines = [shlex.split(line) for line in LINES if line.startswith("mmpt ")]
    assert {words[1] for words in lines} == {"run", "track"}
    for words in lines:
        with pytest.raises(SystemExit):
            main([words[1], "--help"])
        said = capsys.readouterr().out
        assert all(word in said for word in words if word.startswith("--"))
