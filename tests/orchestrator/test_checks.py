"""The checks without a cluster: on this machine, and on nodes that are made up."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from answering_server import Answering, answering_server
from faulty_nodes import plant_command

from orchestrator.check import Finding, Question
from orchestrator.checks import CHECKS
from orchestrator.cli import main
from orchestrator.doctor import examine, findings_of, refuse_problems
from orchestrator.nodes import Nodes, ThisMachine
from search_spaces.errors import MmptError
from trainables.code_version import code_hash, differences, running_versions


@pytest.fixture
def question(tmp_path: Path) -> Question:
    return Question(store=str(tmp_path / "store"), cache=str(tmp_path / "cache"))


def found(check: str, nodes: Nodes, question: Question) -> list[Finding]:
    return list(findings_of([check], nodes, question))


class MadeUp(Nodes):
    """Two nodes: `here` answers truly, on `there` an answer is changed first."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__()
        self.names = ("here", "there")
        self.here = "here"
        self._change = change

    def ask_all(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        return {node: self.ask(node, function, *arguments) for node in self.names}

    def ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
        answer = function(*arguments)
        return answer if node == "here" else self._change(answer)


def test_this_machine_is_fit_and_nothing_is_left_behind(question: Question, tmp_path: Path) -> None:
    findings = examine(question)
    assert {one.level for one in findings if one.check != "disk"} == {"ok"}, findings
    assert {one.check for one in findings} >= {"store", "versions", "clock", "disk", "gpus", "tracking"}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", CHECKS.shipped())
def test_every_check_is_documented(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert f"| `{name}` |" in page


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.2, "ok"), (-3.0, "warning"), (90.0, "problem")], ids=["little", "behind", "far ahead"]
)
def test_clocks_are_compared(seconds: float, level: str, question: Question) -> None:
    here, there = found("clock", MadeUp(lambda now: now + seconds), question)
    assert (here.level, there.level) == ("ok", level)
    assert f"{abs(seconds):.0f}." in there.what or level == "ok"


def test_the_time_that_an_answer_takes_is_no_skew(question: Question) -> None:
    class Slow(MadeUp):
        def ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
            del node, function, arguments
            began = time.time()
            while time.time() < began + 0.02:
                pass
            return began + 1.015  # its clock goes 1.005 s ahead, if the answer was given half way

    assert {one.level for one in found("clock", Slow(lambda now: now), question)} == {"ok"}


def test_differences_name_both_versions_and_builds_do_not_count() -> None:
    ours = {"python": "3.11.7", "torch": "2.6.0+cpu", "ray": "2.60.0", "mlflow": "3.1"}
    theirs = {"python": "3.11.7", "torch": "2.6.0+cu126", "numpy": "2.0"}
    assert differences(ours, theirs) == ["ray none instead of 2.60.0", "numpy 2.0 instead of none"]


def test_a_sweep_is_refused_with_node_and_difference(question: Question) -> None:
    def older(answer: Any) -> Any:
        return {**answer, "mmpt code": "0" * 12} if isinstance(answer, dict) else answer

    refuse_problems(MadeUp(lambda answer: answer), question)
    with pytest.raises(MmptError, match=rf"node there: mmpt code 0{{12}} instead of {code_hash()}\n  cure: install"):
        refuse_problems(MadeUp(older), question)


def test_the_code_is_what_the_files_say() -> None:
    assert running_versions()["mmpt code"] == code_hash()
    assert running_versions()["ray"] == version("ray")


def test_a_store_that_cannot_be_written_is_named(question: Question, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (one,) = found("store", ThisMachine(), replace(question, store=str(tmp_path / "file" / "store")))
    assert one.level == "problem"
    assert "Not a directory" in one.what


def test_a_full_disk_is_found_at_the_start(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SimpleNamespace(total=10**12, free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: disk)
    assert {one.level for one in found("disk", ThisMachine(), question)} == {"problem"}
    disk.free = 2 * 10**10
    assert {one.level for one in found("disk", ThisMachine(), question)} == {"warning"}


@pytest.mark.parametrize(
    ("used", "cuda", "levels"),
    [(12, "12.6", ["ok"]), (90000, "12.6", ["warning"]), (12, None, ["warning", "ok", "problem"])],
    ids=["free", "used", "torch without CUDA"],
)
def test_cards_are_those_of_the_driver(
    used: int, cuda: str | None, levels: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_command(tmp_path / "bin", "nvidia-smi", f"0, NVIDIA H200, 143771, {used}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    asked = Question(store="/none", cache="/none", resources={"cpus": 1, "gpus": 0.5})
    assert [one.level for one in found("gpus", ThisMachine(), asked)] == levels


def test_a_checkpoint_is_looked_for_where_it_would_be_loaded(question: Question, tmp_path: Path) -> None:
    names = {"left": f"vit:{tmp_path}", "right": "words_tiny", "other": "bert:nobody/nothing@v1"}
    asked = replace(question, tasks=({"spec": {"encoders": names}, "fingerprint": ""},))
    assert [one.level for one in found("checkpoints", ThisMachine(), asked)] == ["problem", "problem"]
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    hub, folder = found("checkpoints", ThisMachine(), asked)
    assert (hub.level, folder.level) == ("problem", "ok")
    assert folder.what == f"{tmp_path}: in its folder"


def test_mlflow_that_does_not_answer_is_a_problem_with_a_cure(question: Question) -> None:
    (one,) = found("tracking", ThisMachine(), replace(question, tracking="http://ann:secret@127.0.0.1:9"))
    assert one.level == "problem"
    assert "mmpt track" in one.cure
    assert "secret" not in one.what + one.cure


@pytest.fixture
def dashboard() -> Iterator[Answering]:
    with answering_server() as server:
        server.body = json.dumps({"ray_version": version("ray")}).encode()
        yield server


def test_a_dashboard_is_asked_with_the_token(
    dashboard: Answering, question: Question, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = replace(question, address=f"http://127.0.0.1:{dashboard.server_port}/")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "s3cret")
    assert [one.level for one in found("jobs", ThisMachine(), asked)] == ["ok", "warning"]
    assert dashboard.authorization == "Bearer s3cret"
    dashboard.code = 403
    (wrong,) = found("jobs", ThisMachine(), asked)
    assert "does not accept this token (HTTP 403)" in wrong.what
    assert "s3cret" not in wrong.what + wrong.cure
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    dashboard.code = 401
    (none,) = found("jobs", ThisMachine(), asked)
    assert "wants a token" in none.what
    assert "RAY_AUTH_TOKEN" in none.cure
    dashboard.code, dashboard.body = 200, b"<html>"
    (other,) = found("jobs", ThisMachine(), asked)
    assert "no Ray" in other.what


def test_other_versions_of_ray_do_not_talk(dashboard: Answering, question: Question) -> None:
    dashboard.body = b'{"ray_version": "2.9.0"}'
    asked = replace(question, address=f"http://127.0.0.1:{dashboard.server_port}")
    assert found("jobs", ThisMachine(), asked)[0].what.endswith(f"runs ray 2.9.0, this machine {version('ray')}")


def test_a_cluster_that_does_not_answer_is_a_finding_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--address", "127.0.0.1:9", "--store", str(tmp_path / "store")])
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "no Ray cluster answers at '127.0.0.1:9'" in said
    assert "correct --address" in said
    assert "1 to be cured first" in said


def test_trials_that_cannot_be_planned_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["doctor", "smoke", "--set", "dataset=mm_imdb", "--store", str(tmp_path / "store"), "--json"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 1
    first = json.loads(capsys.readouterr().out)["findings"][0]
    assert first["check"] == "trials"
    assert "mmpt prepare mm_imdb --root DIR" in first["what"]


def test_the_smoke_preset_finds_its_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "smoke", "--store", str(tmp_path / "store")])
    assert ended.value.code == 0, capsys.readouterr().out
    assert "av_digits: " in capsys.readouterr().out
