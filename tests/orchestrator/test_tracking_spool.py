"""The spool in the store: what is in it when, who counts as alive, and what a reader makes of it."""

import json
import os
import time
from pathlib import Path

import pytest
from tracked import history, make_store, planned

from orchestrator.live_trials import LiveTrials
from orchestrator.tracking_keeper import SpoolKeeper
from orchestrator.tracking_spool import Left, Spool, left_behind, other_writers
from results.files import StoreError
from results.schema import HistoryRow
from results.store import Store

URI = "http://ann:tr0ub4dor@mlflow.lab.example:5000"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def tell(live: LiveTrials, epochs: range) -> None:
    trial = planned("late", 0)
    live.start(trial.trial_id, trial.spec)
    for epoch in epochs:
        live.extend(trial.trial_id, trial.spec, [row for row in history(trial) if row.epoch == epoch])


def segments(store: Store, sweep: str) -> list[str]:
    (left,) = left_behind(store.files, sweep)
    return [name for name in store.files.names(*left.folder) if name != "writer.json"]


def test_only_what_mlflow_lacks_is_spooled_and_only_while_it_does(store: Store) -> None:
    live, spool = LiveTrials(), Spool(store.files, "a/b", URI)
    keeper = SpoolKeeper(spool, live)
    tell(live, range(1, 2))
    (trial,) = live.all()
    trial.taken = len(trial.points)
    keeper._look()
    assert segments(store, "a/b") == []
    tell(live, range(2, 4))
    keeper._look()
    keeper._look()
    (left,) = left_behind(store.files, "a/b")
    assert segments(store, "a/b") == ["1.json"]
    assert [point.step for point in left.trials()[trial.trial_id].points] == [2, 2, 3, 3]
    assert left.trials()[trial.trial_id].spec == trial.spec
    trial.taken = len(trial.points)
    keeper._look()
    assert segments(store, "a/b") == []
    spool.leave()
    assert left_behind(store.files, "a/b") == []


def test_a_start_that_mlflow_has_not_seen_is_spooled(store: Store) -> None:
    live, spool = LiveTrials(), Spool(store.files, "start", URI)
    live.start("t", planned("late", 0).spec)
    SpoolKeeper(spool, live)._look()
    (left,) = left_behind(store.files, "start")
    assert left.trials()["t"].points == []


def test_a_long_outage_keeps_few_segments_and_every_point(store: Store) -> None:
    live, spool = LiveTrials(), Spool(store.files, "long", URI)
    keeper, spec = SpoolKeeper(spool, live), planned("late", 0).spec
    for epoch in range(1, 131):
        live.extend("t", spec, [HistoryRow(epoch, "train/loss", epoch / 2)])
        keeper._look()
        assert spool.segments <= 51
    live.end("t")
    (left,) = left_behind(store.files, "long")
    assert {(point.step, point.value) for point in left.trials()["t"].points} == {(n, n / 2) for n in range(1, 131)}


def test_what_a_repeated_epoch_says_differently_is_not_a_second_point() -> None:
    live, spec = LiveTrials(), planned("late", 0).spec
    for value in (1.0, 2.0):
        live.extend("t", spec, [HistoryRow(1, "train/loss", value)])
    (trial,) = live.all()
    assert [(point.name, point.step, point.value) for point in trial.points] == [("train/loss", 1, 1.0)]


def test_a_writer_lives_while_it_beats_and_its_process_exists(store: Store) -> None:
    spool, asking = Spool(store.files, "lease", URI), Spool(store.files, "lease", URI)
    spool.beat()
    assert [str(left).split(" on ")[0] for left in other_writers(store.files, "lease", URI, asking)] == [
        f"process {os.getpid()}"
    ]
    assert other_writers(store.files, "lease", URI, spool) == []
    assert other_writers(store.files, "lease", "http://elsewhere:5000", asking) == []
    assert other_writers(store.files, "lease", URI.replace("tr0ub4dor", "another"), asking) != []
    (left,) = left_behind(store.files, "lease")
    about = vars(left)
    assert not Left(**{**about, "pid": 2**22 + 1}).alive
    assert Left(**{**about, "pid": 2**22 + 1, "host": "elsewhere"}).alive
    assert not Left(**{**about, "host": "elsewhere", "beat": time.time() - 121}).alive


def test_no_credentials_are_in_the_store(store: Store) -> None:
    Spool(store.files, "secret", URI).beat()
    kept = b"".join(path.read_bytes() for path in Path(store.root).rglob("*") if path.is_file())
    assert b"tr0ub4dor" not in kept
    assert b"ann" not in kept


def test_what_was_spooled_outlives_its_writer(store: Store) -> None:
    live, spool = LiveTrials(), Spool(store.files, "left", URI)
    tell(live, range(1, 3))
    keeper = SpoolKeeper(spool, live, period_seconds=60)
    keeper.start()
    assert keeper.close() == 1
    (left,) = left_behind(store.files, "left")
    assert not left.alive
    assert len(left.trials()) == 1
    left.forget()
    assert left_behind(store.files, "left") == []


def test_a_damaged_segment_says_which_file_it_is(store: Store) -> None:
    live, spool = LiveTrials(), Spool(store.files, "damaged", URI)
    tell(live, range(1, 2))
    SpoolKeeper(spool, live)._look()
    (left,) = left_behind(store.files, "damaged")
    store.files.write(json.dumps({}).encode(), *left.folder, "1.json")
    with pytest.raises(StoreError, match=r"damaged/.*/1\.json is damaged"):
        left.trials()


def test_a_store_that_cannot_be_written_ends_nothing(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, spool = LiveTrials(), Spool(store.files, "full", URI)
    tell(live, range(1, 2))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.files, "write", full)
    keeper = SpoolKeeper(spool, live, period_seconds=0.01)
    keeper.start()
    keeper.close()
    assert caplog.text.count("No space left on device") == 1
