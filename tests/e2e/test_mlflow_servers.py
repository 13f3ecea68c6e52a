"""Real MLflow servers on SQLite and PostgreSQL: eight trials at once lose nothing, nor does a server that is killed."""

import importlib.util
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from database_server import MlflowServer, postgresql, postgresql_folder
from mlflow import MlflowClient
from tracked import Shown, contents, finish, know_summaries, make_store, planned, until

from orchestrator.events import Outcome
from orchestrator.mlflow_connect import connect
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.tracking import Tracker, track
from results.schema import HistoryRow, TrialRecord
from results.store import Store

pytestmark = pytest.mark.slow
AT_ONCE, METRICS, EPOCHS = 8, 20, 6


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    know_summaries(monkeypatch)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    folder = tmp_path_factory.mktemp(str(request.param))
    if request.param == "sqlite":
        yield from _running(MlflowServer(f"sqlite:///{folder}/mlflow.db", folder))
        return
    programs = postgresql_folder()
    if programs is None or importlib.util.find_spec("psycopg2") is None:
        pytest.skip("needs PostgreSQL (Debian: apt-get install postgresql) and the Python package psycopg2-binary")
    with postgresql(programs) as uri:
        yield from _running(MlflowServer(uri, folder))


def _running(server: MlflowServer) -> Iterator[MlflowServer]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def rows(trial: PlannedTrial, epoch: int) -> list[HistoryRow]:
    return [HistoryRow(epoch, f"train/term{term}", trial.spec.seed + epoch / (term + 1)) for term in range(METRICS)]


def train(tracker: Tracker, store: Store, trial: PlannedTrial) -> None:
    """Report every epoch of a trial, then put it into the store."""
    tracker.trial_started(trial)
    for epoch in range(1, EPOCHS + 1):
        tracker.trial_progressed(trial, rows(trial, epoch))
    record = finish(store, trial)
    told = [row for epoch in range(1, EPOCHS + 1) for row in rows(trial, epoch)]
    store.write_trial(TrialRecord(**{**vars(record), "history": pd.DataFrame(told, columns=HistoryRow._fields)}))
    tracker.trial_finished(trial)


def sweep(tracker: Tracker, store: Store, name: str, trials: list[PlannedTrial]) -> None:
    """Train all trials at once."""
    tracker.sweep_started(Plan(name=name, trials=tuple(trials)))
    with ThreadPoolExecutor(len(trials)) as pool:
        list(pool.map(lambda trial: train(tracker, store, trial), trials))
    ids = frozenset(trial.trial_id for trial in trials)
    tracker.sweep_ended(Outcome(done=ids, trained=ids, failed={}, skipped={}, pending=frozenset()))


def check(shown: dict[str, Shown], trials: list[PlannedTrial]) -> None:
    """Compare every point of every metric."""
    assert shown.keys() == {"parent", *(trial.trial_id for trial in trials)}
    for trial in trials:
        status, _, _, _, curves, parent = shown[trial.trial_id]
        assert (status, parent) == ("FINISHED", "parent")
        for term in range(METRICS):
            assert curves[f"train/term{term}"] == [
                (epoch, rows(trial, epoch)[term].value) for epoch in range(1, EPOCHS + 1)
            ]


def test_eight_trials_at_once_lose_no_metric(
    server: MlflowServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, trials = make_store(tmp_path / "store"), [planned("naive", seed) for seed in range(AT_ONCE)]
    tracker = Tracker(store.root, server.address)
    sweep(tracker, store, "eight", trials)
    summary = tracker.close(200)
    assert (summary.written, summary.missing, summary.error) == (AT_ONCE, 0, None)
    check(contents(server.address, "eight/toy"), trials)
    assert "locked" not in caplog.text


def test_two_drivers_with_four_trials_each_share_one_parent(server: MlflowServer, tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    halves = [[planned(method, seed) for seed in range(AT_ONCE // 2)] for method in ("naive", "mtl")]
    trackers = [Tracker(store.root, server.address) for _ in halves]
    threads = [
        threading.Thread(target=sweep, args=(tracker, store, "halves", trials))
        for tracker, trials in zip(trackers, halves, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [tracker.close(200).error for tracker in trackers] == [None, None]
    assert track(store.root, server.address).missing == 0
    check(contents(server.address, "halves/toy"), [*halves[0], *halves[1]])


def test_a_server_that_was_killed_has_everything_after_track(server: MlflowServer, tmp_path: Path) -> None:
    store, trials = make_store(tmp_path / "store"), [planned("naive", seed) for seed in range(AT_ONCE)]
    tracker = Tracker(store.root, server.address, retry_seconds=0.1)
    tracker.sweep_started(Plan(name="killed", trials=tuple(trials)))
    for trial in trials[:4]:
        train(tracker, store, trial)
    client = MlflowClient(tracking_uri=server.address)
    until(lambda: client.get_experiment_by_name("killed/toy") is not None)
    until(lambda: len(contents(server.address, "killed/toy")) > 1)
    server.stop(kill=True)
    for trial in trials[4:]:
        train(tracker, store, trial)
    ids = frozenset(trial.trial_id for trial in trials)
    tracker.sweep_ended(Outcome(done=ids, trained=ids, failed={}, skipped={}, pending=frozenset()))
    assert tracker.close(100).missing >= 4
    server.start()
    assert track(store.root, server.address).error is None
    shown = contents(server.address, "killed/toy")
    check(shown, trials)
    undisturbed = f"sqlite:///{tmp_path}/undisturbed.db"
    connect(undisturbed).search_experiments()
    assert track(store.root, undisturbed).written == AT_ONCE
    assert contents(undisturbed, "killed/toy") == shown
