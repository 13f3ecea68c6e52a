"""What is sent to a cluster, and what is not, depending on what came of the same sweep before."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.commands import submit
from orchestrator.ray_jobs import RayJobs
from orchestrator.submission import Attempt, State, latest_attempt, submission_name
from search_spaces import TrialSpec
from search_spaces.errors import MmptError

SPECS = [TrialSpec(dataset="av_digits", method="naive", seed=seed) for seed in range(3)]
NAME = submission_name("smoke", SPECS, "/shared/store")
ADDRESS = "http://head:8265"


def attempts(*states: tuple[str, State]) -> dict[str, Attempt]:
    return {name: Attempt(name=name, state=state) for name, state in states}


def test_equal_sweeps_into_one_store_have_one_name() -> None:
    assert submission_name("smoke", SPECS[::-1], "/shared/store") == NAME
    others = {
        submission_name("smoke", SPECS[:2], "/shared/store"),
        submission_name("smoke", SPECS, "/shared/other"),
        submission_name("mine", SPECS, "/shared/store"),
    }
    assert len(others | {NAME}) == 4


def test_the_latest_attempt_is_the_one_with_the_highest_number() -> None:
    known = attempts((f"{NAME}-10", "stopped"), (NAME, "failed"), (f"{NAME}-9", "failed"), (f"{NAME}0", "running"))
    latest = latest_attempt(NAME, known)
    assert latest is not None
    assert latest.name == f"{NAME}-10"
    assert latest.next_name == f"{NAME}-11"
    assert known[NAME].next_name == f"{NAME}-2"
    assert latest_attempt(NAME, {}) is None


class Cluster:
    """Remembers what is sent to it."""

    def __init__(self) -> None:
        self.known: dict[str, Attempt] = {}
        self.sent: list[tuple[str, Sequence[str], Path | None]] = []
        self.refuses = False
        self.outcome: Callable[[Attempt], Attempt] = lambda attempt: replace(attempt, state="succeeded", exit_code=0)

    def attempts(self) -> dict[str, Attempt]:
        return dict(self.known)

    def send(self, name: str, command: Sequence[str], folder: Path | None) -> None:
        if not self.refuses:
            self.sent.append((name, command, folder))
        self.known[name] = Attempt(name=name, state="running")
        if self.refuses:
            raise MmptError("it is there already")

    def follow(self, name: str, write: Callable[[str], object]) -> Attempt:
        write("a line\n")
        return self.outcome(self.known[name])


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(submit, "RayJobs", lambda address: made)
    return made


def mmpt_submit(*options: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["submit", "smoke", *options, "--address", ADDRESS, "--store", "/shared/store"])
    return ended.value.code


def test_the_options_of_run_arrive_and_the_code_is_shipped(cluster: Cluster) -> None:
    assert mmpt_submit("--set", "epochs=3", "--seeds", "2", "--fail-fast") == 0
    ((name, command, folder),) = cluster.sent
    assert name.startswith("mmpt-smoke-")
    options = ["--set", "epochs=3", "--seeds", "2", "--fail-fast", "--store", "/shared/store", "--address", "auto"]
    assert command == ["python", "-m", "orchestrator", "run", "smoke", *options]
    assert folder == Path(__file__).parents[2]


def test_code_that_is_installed_there_is_not_shipped(cluster: Cluster, tmp_path: Path) -> None:
    mmpt_submit("--code", "installed")
    mmpt_submit("--code", str(tmp_path), "--seeds", "2")
    assert [folder for _, _, folder in cluster.sent] == [None, tmp_path]


def test_sending_again_is_harmless(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert [mmpt_submit(), mmpt_submit()] == [0, 0]
    assert len(cluster.sent) == 1
    assert "is running already; nothing was sent" in capsys.readouterr().err
    (name,) = cluster.known
    cluster.known[name] = Attempt(name=name, state="succeeded", exit_code=0)
    assert mmpt_submit() == 0
    assert "has succeeded; there is nothing to do" in capsys.readouterr().err
    for number, state in ((2, "failed"), (3, "stopped")):
        latest = latest_attempt(name, cluster.known)
        assert latest is not None
        cluster.known[latest.name] = Attempt(name=latest.name, state=state)
        assert mmpt_submit() == 0
        assert f"sent {name}-{number}; {latest.name} has {state}" in capsys.readouterr().err


def test_two_that_send_at_once_send_one(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.refuses = True
    assert mmpt_submit("--follow") == 0
    assert "sent by somebody else" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("state", "exit_code", "expected"),
    [
        ("succeeded", 0, 0),
        ("failed", 1, 1),
        ("failed", 2, 2),
        ("failed", None, 3),
        ("failed", -9, 3),
        ("stopped", 1, 130),
    ],
)
def test_the_exit_code_is_the_sweeps(
    cluster: Cluster, state: State, exit_code: int | None, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.outcome = lambda attempt: replace(attempt, state=state, exit_code=exit_code)
    assert mmpt_submit("--follow") == expected
    assert capsys.readouterr().out == "a line\n"


def test_who_stops_following_does_not_stop_the_sweep(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(attempt: Attempt) -> Attempt:
        raise KeyboardInterrupt

    cluster.outcome = interrupted
    assert mmpt_submit("--follow") == 130
    assert "goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--store", "here"], "--store: 'here' is not allowed; expected an absolute folder"),
        (["--inline"], "--inline: True is not allowed"),
        (["--code", "/nowhere"], "--code: '/nowhere' is not allowed; expected a folder"),
        (["--set", "epoch=3"], "did you mean 'epochs'"),
        (["--nonsense"], "No such option"),
    ],
)
def test_what_could_not_work_there_is_refused_here(
    cluster: Cluster, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["submit", "smoke", "--address", ADDRESS, "--store", "/shared/store", *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not cluster.sent


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("head:8265", "expected http://host:port of the cluster's dashboard"),
        ("ray://head:10001", "expected http://host:port of the cluster's dashboard"),
        ("http://127.0.0.1:1", "nothing answers at http://127.0.0.1:1: .*Connection refused.*ray dashboard"),
    ],
)
def test_an_address_that_is_no_dashboard(address: str, said: str) -> None:
    with pytest.raises(MmptError, match=said):
        RayJobs(address)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.ray_jobs.find_spec", lambda name: None if name == "aiohttp" else object())
    with pytest.raises(MmptError, match=r"needs aiohttp: pip install 'mmpt-sweep\[cluster\]'"):
        RayJobs(ADDRESS)
