"""A live sweep in MLflow, an outage, and a rebuild from Parquet: all end in the same runs."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from threadpoolctl import threadpool_info, threadpool_limits
from tracked import contents, fail, finish, folder, history, know_summaries, make_store, planned, play

from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_text import Child, done_child, failed_child, params, run_name
from orchestrator.mlflow_writer import SweepWriter
from orchestrator.plan import PlannedTrial
from orchestrator.sweep_members import record_sweep, recorded_sweeps
from orchestrator.tracking import Tracker, track
from orchestrator.tracking_reader import Reader
from results.schema import HistoryRow, TrialRecord
from results.store import Failure, Store
from search_spaces.spec import TrialSpec

CLOSED = "http://127.0.0.1:9"  # the discard port: nothing listens


@pytest.fixture(autouse=True)
def _summary(monkeypatch: pytest.MonkeyPatch) -> None:
    know_summaries(monkeypatch)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    connect(uri).search_experiments()
    return uri


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def test_a_rebuild_equals_the_live_sweep_metric_by_metric(database: str, store: Store, tmp_path: Path) -> None:
    trials = [planned("naive", 0), planned("mtl", 1), planned("bad", 2)]
    tracker = Tracker(store.root, database, sweep="equal")
    play(tracker, store, "equal", trials)
    summary = tracker.close(60)
    assert (summary.written, summary.missing, summary.error) == (3, 0, None)
    live = contents(database, "equal/toy")
    client = MlflowClient(tracking_uri=database)
    client.rename_experiment(folder(client, "equal/toy").experiment_id, "equal live/toy")
    rebuilt = track(store.root, database)
    assert (rebuilt.written, rebuilt.missing, rebuilt.error) == (3, 0, None)
    assert contents(database, "equal/toy") == live
    status, name, tags, flat, curves, parent = live[trials[1].trial_id]
    assert (status, parent, name) == ("FINISHED", "parent", "mtl p_train=audio:0.3 lr=0.001 weight=0.5 seed 1")
    assert curves["train/loss"] == [(epoch, 1 / (epoch + 1)) for epoch in (1, 2, 3)]
    assert curves["p_test/shared/macro_f1"] == [(0, 0.9), (10, 0.8), (100, 0.1)]
    assert curves["seconds/total"] == [(0, 2.5)]
    assert curves["odd_name_1"] == [(0, 1.0)]
    assert not {"broken", "grad/norm"} & set(curves)
    assert (flat["p_train.audio"], flat["missing"]) == ("0.3", "independent")
    assert (flat["method.weight"], flat["encoder.audio"], flat["seed"]) == ("0.5", "conv_tiny", "1")
    assert (tags["mmpt.git_commit"], tags["version.torch"], tags["mmpt.complete"]) == ("abc", "2.4", "true")
    assert live[trials[2].trial_id][0] == "FAILED"
    assert live[trials[2].trial_id][2]["mmpt.error"] == "ValueError: no good"
    assert live["parent"][0] == "FAILED"
    artifacts = folder(client, "equal/toy").artifact_location
    assert artifacts == (tmp_path / "store" / "mlflow-artifacts").as_uri()


def _blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def _two_blas_threads() -> Iterator[None]:
    """As on a machine with two cores; only a thread that ends leaves it to others to set a limit."""
    (before,) = _blas_threads()
    for count in (2, before):
        setting = threading.Thread(target=threadpool_limits, args=(count, "blas"))
        setting.start()
        setting.join()
        if count == 2:
            yield


@pytest.mark.usefixtures("_two_blas_threads")
def test_what_a_child_shows_is_derived_without_further_threads(
    database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[int]] = {"live": set(), "rebuilt": set()}
    done, now = Reader.done, "live"

    def watched(self: Reader, record: TrialRecord) -> Child:
        seen[now] |= _blas_threads()
        return done(self, record)

    monkeypatch.setattr(Reader, "done", watched)
    tracker = Tracker(store.root, database, sweep="threads")
    play(tracker, store, "threads", [planned("naive", 0)])
    assert tracker.close(60).written == 1
    now = "rebuilt"
    assert track(store.root, database, sweep="threads again").written == 1
    assert seen == {"live": {1}, "rebuilt": {1}}
    assert _blas_threads() == {2}


def test_tracking_again_changes_nothing_and_rewrites_what_was_cut_short(database: str, store: Store) -> None:
    trials = [planned("naive", 0), planned("mtl", 1)]
    for trial in trials:
        finish(store, trial)
    seen = []
    first = track(store.root, database, sweep="again", progress=lambda done, total: seen.append((done, total)))
    assert (first.written, seen) == (2, [(1, 2), (2, 2)])
    before = contents(database, "again/toy")
    second = track(store.root, database, sweep="again")
    assert (second.written, second.already, str(second)) == (0, 2, "MLflow has all 2 trials")
    client = MlflowClient(tracking_uri=database)
    found = folder(client, "again/toy").experiment_id
    child = client.search_runs([found], f"tags.`mmpt.trial_id` = '{trials[0].trial_id}'")[0]
    client.delete_tag(child.info.run_id, "mmpt.complete")
    client.log_metric(child.info.run_id, "train/loss", 99.0, step=77)
    assert track(store.root, database, sweep="again").written == 1
    assert contents(database, "again/toy") == before


def test_an_interrupted_trial_is_killed_and_written_whole_when_it_ends(database: str, store: Store) -> None:
    late = planned("late", 0)
    tracker = Tracker(store.root, database)
    play(tracker, store, "killed", [planned("naive", 0), late])
    assert tracker.close(60).missing == 0
    shown = contents(database, "killed/toy")
    assert (shown[late.trial_id][0], shown["parent"][0]) == ("KILLED", "KILLED")
    assert [step for step, _ in shown[late.trial_id][4]["train/loss"]] == [1, 2]
    finish(store, late)
    assert track(store.root, database, sweep="killed").written == 1
    shown = contents(database, "killed/toy")
    assert (shown[late.trial_id][0], shown["parent"][0]) == ("FINISHED", "FINISHED")
    assert [step for step, _ in shown[late.trial_id][4]["train/loss"]] == [1, 2, 3]


def test_trials_of_earlier_sweeps_are_shown_too_and_written_once(database: str, store: Store) -> None:
    old = planned("naive", 0, state="done")
    finish(store, old)
    for already in (0, 1):
        tracker = Tracker(store.root, database, sweep="old")
        play(tracker, store, "old", [old])
        summary = tracker.close(60)
        assert (summary.written, summary.already, summary.missing) == (1 - already, already, 0)
    assert contents(database, "old/toy")[old.trial_id][0] == "FINISHED"


def test_a_failed_trial_that_succeeds_later_is_finished(database: str, store: Store) -> None:
    trial = planned("naive", 0)
    fail(store, trial)
    track(store.root, database, sweep="second chance")
    assert contents(database, "second chance/toy")[trial.trial_id][0] == "FAILED"
    finish(store, trial)
    assert track(store.root, database, sweep="second chance").written == 1
    status, _, tags, *_ = contents(database, "second chance/toy")[trial.trial_id]
    assert (status, "mmpt.error" in tags) == ("FINISHED", False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_down_costs_nothing_but_the_view(database: str, store: Store) -> None:
    tracker = Tracker(store.root, "http://ann:secret@127.0.0.1:9", sweep="down")
    play(tracker, store, "down", [planned("naive", 0), planned("bad", 1)])
    summary = tracker.close(60)
    assert (summary.written, summary.missing) == (0, 2)
    assert "secret" not in str(summary)
    assert f"mmpt track --store {store.root} --tracking-uri" in str(summary)
    assert track(store.root, database).written == 2
    assert recorded_sweeps(store.files).keys() == {"down"}
    assert contents(database, "down/toy").keys() == {planned("naive", 0).trial_id, planned("bad", 1).trial_id, "parent"}


@pytest.mark.usefixtures("impatient")
def test_rebuilding_into_a_server_that_is_down_says_so(store: Store) -> None:
    finish(store, planned("naive", 0))
    summary = track(store.root, CLOSED)
    assert (summary.written, summary.missing) == (0, 1)
    assert "Connection refused" in str(summary)


def test_a_server_that_never_answers_does_not_hold_the_driver(store: Store) -> None:
    release = threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def handle(self) -> None:
            release.wait(20)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        tracker = Tracker(store.root, f"http://127.0.0.1:{server.server_port}")
        play(tracker, store, "silent", [planned("naive", 0)])
        summary = tracker.close(0.3)
        assert (summary.written, summary.error) == (0, "not done after 0.3 s")
        assert summary.missing >= 1
    finally:
        release.set()
        server.shutdown()
        server.server_close()


def test_a_damaged_trial_does_not_stop_the_others(database: str, store: Store) -> None:
    broken = planned("mtl", 1)
    finish(store, broken)
    tracker = Tracker(store.root, database, sweep="damaged")
    plan = [planned("naive", 0), PlannedTrial(**{**vars(broken), "state": "done"})]
    (Path(store.root) / "trials" / broken.trial_id / "history.parquet").write_bytes(b"")
    play(tracker, store, "damaged", plan)
    summary = tracker.close(60)
    assert (summary.written, summary.missing) == (1, 1)
    assert broken.trial_id in str(summary)


def test_nothing_is_cut_without_a_word(store: Store) -> None:
    spec = TrialSpec(dataset="toy", method="naive", method_params={"text": "x" * 13_000})
    flat = params(spec)
    assert flat["method.text"] + flat["method.text.part2"] + flat["method.text.part3"] == "x" * 13_000
    assert len(run_name(spec)) <= 160
    assert run_name(spec).endswith("... seed 0")
    child = failed_child(Failure(trial_id="t", error="e" * 9000, traceback="", spec=spec.to_config()))
    assert len(child.tags["mmpt.error"]) == 8000
    assert "all 9000 characters are in the store: failures/t.json" in child.tags["mmpt.error"]


def test_a_child_has_at_most_60_metrics_the_curves_first_and_says_what_is_left_out(store: Store) -> None:
    record = finish(store, planned("naive", 0))
    facts = [HistoryRow(None, f"fact/{number}", 1.0) for number in range(70)]
    frame = pd.DataFrame([*facts, *history(planned("naive", 0))], columns=HistoryRow._fields)
    many = TrialRecord(**{**vars(record), "history": frame})
    child = done_child(many, store.read_samples("f" * 16))
    names = {name for name, _ in child.points}
    assert len(names) == 60
    assert {"train/loss", "val/all/macro_f1", "p_test/shared/macro_f1", "test/all/macro_f1"} < names
    assert child.tags["mmpt.metrics_left_out"] == "16 (all are in the store)"


def test_two_parents_become_one_and_keep_all_children(database: str, store: Store) -> None:
    trials = [planned("naive", 0), planned("mtl", 1)]
    for trial in trials:
        finish(store, trial)
    track(store.root, database, sweep="parents")
    client = MlflowClient(tracking_uri=database)
    place = folder(client, "parents/toy").experiment_id
    second = client.create_run(place, tags={"mmpt.sweep": "parents", "dataset": "toy"}, run_name="parents on toy")
    child = client.search_runs([place], f"tags.`mmpt.trial_id` = '{trials[0].trial_id}'")[0]
    client.set_tag(child.info.run_id, "mlflow.parentRunId", second.info.run_id)
    assert track(store.root, database, sweep="parents").already == 2
    shown = contents(database, "parents/toy")
    assert {row[5] for key, row in shown.items() if key != "parent"} == {"parent"}


def test_a_child_whose_params_got_lost_gets_them_when_it_goes_on(database: str, store: Store) -> None:
    trial = planned("late", 0)
    first = SweepWriter(database, store.root, "params")
    run = first._create(trial.trial_id, trial.spec, seconds=0.0)  # and then the server died
    again = SweepWriter(database, store.root, "params").begin(trial.trial_id, trial.spec)
    assert again.run_id == run.run_id
    assert contents(database, "params/toy")[trial.trial_id][3] == params(trial.spec)


def test_a_trial_that_mlflow_refuses_does_not_stop_the_others(
    database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = [planned("naive", seed) for seed in range(6)]
    for trial in trials:
        finish(store, trial)
    put = SweepWriter.put

    def refuse(writer: SweepWriter, child: Child) -> None:
        if child.spec.seed == 3:
            raise MlflowException("no")
        put(writer, child)

    monkeypatch.setattr(SweepWriter, "put", refuse)
    first = track(store.root, database, sweep="refused")
    assert (first.written, first.missing, first.error) == (5, 1, "MlflowException: no")
    monkeypatch.setattr(SweepWriter, "put", put)
    assert track(store.root, database, sweep="refused").missing == 0


def test_more_points_than_one_batch_takes_all_arrive(database: str, store: Store) -> None:
    trial = planned("naive", 0)
    rows = [HistoryRow(epoch, "train/loss", epoch / 7) for epoch in range(1, 2001)]
    record = finish(store, trial)
    store.write_trial(TrialRecord(**{**vars(record), "history": pd.DataFrame(rows, columns=HistoryRow._fields)}))
    track(store.root, database, sweep="long")
    curve = contents(database, "long/toy")[trial.trial_id][4]["train/loss"]
    assert curve == [(row.epoch, row.value) for row in rows]


def test_a_sweep_is_filed_under_its_own_name_and_the_rest_under_the_folders(database: str, store: Store) -> None:
    own, rest = planned("naive", 0), planned("mtl", 1)
    finish(store, own)
    finish(store, rest)
    record_sweep(store.files, "a/b", {own.trial_id: "toy"})
    assert track(store.root, database).written == 2
    assert contents(database, "a/b/toy").keys() == {own.trial_id, "parent"}
    assert contents(database, "store/toy").keys() == {rest.trial_id, "parent"}


def test_live_and_rebuilt_go_through_the_same_child(store: Store) -> None:
    record = finish(store, planned("naive", 0))
    child = done_child(store.read_trial(record.trial_id), store.read_samples("f" * 16))
    assert child == done_child(record, store.read_samples("f" * 16))
