"""MLflow refuses, loses answers, hangs or is away, and drivers die: what it shows in the end is the same."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import faulty_mlflow
import pytest
from faulty_mlflow import FaultyMlflow
from tracked import Shown, contents, finish, history, know_summaries, make_store, planned, play, until

from orchestrator.events import Outcome
from orchestrator.mlflow_connect import connect
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.tracking import Tracker, track
from orchestrator.tracking_spool import left_behind
from results.store import Store

pytestmark = pytest.mark.slow
CLOSED = "http://127.0.0.1:9"  # the discard port: nothing listens


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    know_summaries(monkeypatch)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyMlflow]:
    with faulty_mlflow.serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    uri = f"sqlite:///{tmp_path_factory.mktemp('reference')}/mlflow.db"
    connect(uri).search_experiments()
    return uri


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def undisturbed(database: str, root: Path, name: str) -> dict[str, Shown]:
    """Play the sweep to MLflow that answers."""
    store = make_store(root)
    tracker = Tracker(store.root, database)
    play(tracker, store, name, [planned("naive", 0), planned("bad", 1), planned("late", 2)])
    assert tracker.close(100).error is None
    shown = contents(database, f"{name}/toy")
    assert {row[0] for row in shown.values()} == {"FINISHED", "FAILED", "KILLED"}
    return shown


def is_spooled(store: Store, sweep: str) -> bool:
    return any(left.trials() for left in left_behind(store.files, sweep))


@pytest.mark.parametrize("trouble", ["500", "403", "lost"])
def test_trouble_for_a_while_leaves_no_trace(
    trouble: str, mlflow: FaultyMlflow, database: str, store: Store, tmp_path: Path
) -> None:
    tracker = Tracker(store.root, mlflow.address, retry_seconds=0.05)
    mlflow.trouble = trouble
    before = mlflow.asked

    def recover() -> None:
        until(lambda: mlflow.asked > before + 3)
        mlflow.recover()

    play(tracker, store, trouble, [planned("naive", 0), planned("bad", 1), planned("late", 2)], recover)
    summary = tracker.close(100)
    assert (summary.missing, summary.spooled, summary.error) == (0, 0, None)
    assert contents(mlflow.database, f"{trouble}/toy") == undisturbed(database, tmp_path / "other", trouble)
    assert store.files.names("tracking", trouble) == []


def test_trouble_to_the_end_is_made_up_for_by_track(
    mlflow: FaultyMlflow, database: str, store: Store, tmp_path: Path
) -> None:
    tracker = Tracker(store.root, mlflow.address, retry_seconds=0.05)
    mlflow.trouble = "500"
    play(tracker, store, "gone", [planned("naive", 0), planned("bad", 1), planned("late", 2)])
    summary = tracker.close(100)
    mlflow.recover()
    assert (summary.written, summary.missing, summary.spooled) == (0, 2, 1)
    assert "lacks 2 trials and curves of 1 interrupted ones, which are spooled in the store (" in str(summary)
    assert track(store.root, database, sweep="elsewhere").missing == 0
    assert len(left_behind(store.files, "gone")) == 1, "it is kept for the MLflow that it is for"
    assert track(store.root, mlflow.address).written == 2
    assert contents(mlflow.database, "gone/toy") == undisturbed(database, tmp_path / "other", "gone")
    assert left_behind(store.files, "gone") == []
    assert track(store.root, mlflow.address).already == 2


def test_a_server_that_hangs_holds_nobody(mlflow: FaultyMlflow, store: Store) -> None:
    tracker = Tracker(store.root, mlflow.address)
    mlflow.trouble = "silent"
    before = mlflow.asked
    play(
        tracker,
        store,
        "hanging",
        [planned("naive", 0), planned("late", 1)],
        lambda: until(lambda: mlflow.asked > before and is_spooled(store, "hanging")),
    )
    mlflow.recover()
    assert tracker.close(100).error is None
    shown = contents(mlflow.database, "hanging/toy")
    assert {row[0] for row in shown.values()} == {"FINISHED", "KILLED"}


def test_two_drivers_of_one_sweep_make_each_thing_once(mlflow: FaultyMlflow, store: Store) -> None:
    earlier = [planned("earlier", seed, state="done") for seed in range(4)]
    for trial in earlier:
        finish(store, trial)
    own = [[planned(method, seed) for seed in range(4)] for method in ("naive", "mtl")]
    trackers = [Tracker(store.root, mlflow.address, retry_seconds=0.05) for _ in own]
    together = threading.Barrier(2)

    def drive(tracker: Tracker, trials: list[PlannedTrial]) -> None:
        together.wait()
        play(tracker, store, "both", [*earlier, *trials], together.wait)

    threads = [threading.Thread(target=drive, args=pair) for pair in zip(trackers, own, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [tracker.close(100).error for tracker in trackers] == [None, None]
    assert track(store.root, mlflow.address).missing == 0
    shown = contents(mlflow.database, "both/toy")  # which fails if there are two of anything
    assert shown.keys() == {"parent", *(trial.trial_id for trial in [*earlier, *own[0], *own[1]])}
    assert {row[0] for row in shown.values()} == {"FINISHED"}
    assert {row[5] for key, row in shown.items() if key != "parent"} == {"parent"}


def test_the_first_driver_to_end_kills_nothing_of_the_other(mlflow: FaultyMlflow, store: Store) -> None:
    mine, theirs = planned("naive", 0), planned("mtl", 1)
    other = Tracker(store.root, mlflow.address)
    other.sweep_started(Plan(name="pair", trials=(theirs,)))
    other.trial_started(theirs)
    until(lambda: not other.left)
    until(lambda: left_behind(store.files, "pair"))
    first = Tracker(store.root, mlflow.address)
    play(first, store, "pair", [mine])
    assert first.close(100).error is None
    shown = contents(mlflow.database, "pair/toy")
    assert [shown[key][0] for key in (mine.trial_id, theirs.trial_id, "parent")] == ["FINISHED", "RUNNING", "RUNNING"]
    said = track(store.root, mlflow.address)
    assert "is writing sweep 'pair' there; it is left alone" in str(said)
    finish(store, theirs)
    other.trial_finished(theirs)
    nothing = frozenset[str]()
    other.sweep_ended(
        Outcome(done=frozenset([theirs.trial_id]), trained=nothing, failed={}, skipped={}, pending=nothing)
    )
    assert other.close(100).error is None
    assert {row[0] for row in contents(mlflow.database, "pair/toy").values()} == {"FINISHED"}


def test_a_driver_that_is_killed_leaves_curves_that_track_shows_as_killed(database: str, store: Store) -> None:
    script = Path(__file__).parents[1] / "support" / "killed_driver.py"
    places = [str(script.parent), *sys.path]
    driver = subprocess.Popen(
        [sys.executable, str(script), store.root, database, CLOSED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    )
    assert driver.stdin is not None
    assert driver.stdout is not None
    with driver.stdin, driver.stdout:
        assert driver.stdout.readline() == b"ready\n"
        (living,) = left_behind(store.files, "down")
        assert living.alive
        driver.kill()
        driver.wait()
    assert not living.alive
    late = planned("late", 0).trial_id
    assert contents(database, "up/toy")[late][0] == "RUNNING"
    assert track(store.root, database).error is None
    for name in ("up", "down"):
        status, _, _, flat, curves, _ = contents(database, f"{name}/toy")[late]
        assert (status, flat["method"]) == ("KILLED", "late")
        assert curves["train/loss"] == [(epoch, 1 / epoch) for epoch in (1, 2)]
        assert contents(database, f"{name}/toy")["parent"][0] == "KILLED"


def test_no_password_gets_into_store_mlflow_or_log(
    mlflow: FaultyMlflow, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="orchestrator")
    secret = "tr0ub4dor"
    uri = mlflow.address.replace("://", f"://ann:{secret}@")
    mlflow.trouble = "403"
    tracker = Tracker(store.root, uri, retry_seconds=0.05)
    tracker.sweep_started(Plan(name="secret", trials=(planned("late", 0),)))
    tracker.trial_progressed(planned("late", 0), history(planned("late", 0)))
    until(lambda: is_spooled(store, "secret"))
    kept = b"".join(path.read_bytes() for path in Path(store.root).rglob("*") if path.is_file())
    assert b"writer" not in kept
    assert b"late" in kept
    mlflow.recover()
    nothing = frozenset[str]()
    tracker.sweep_ended(Outcome(done=nothing, trained=nothing, failed={}, skipped={}, pending=nothing))
    summary = tracker.close(100)
    assert (summary.error, summary.spooled) == (None, 0)
    shown = repr(contents(mlflow.database, "secret/toy")) + str(summary) + caplog.text + kept.decode(errors="replace")
    assert "403" in caplog.text
    assert secret not in shown
    assert secret not in tracker.close(1).command
