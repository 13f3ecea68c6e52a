"""The store: round trips, whole trials only, damage reported and never read."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from results.files import Files, StoreError, absolute_root
from results.schema import LogitsKey, Samples, SchemaError, TrialRecord, read_parquet, write_parquet
from results.store import CorruptTrialError, Failure, Store

FILES = ("spec.json", "logits.parquet", "history.parquet", "DONE")


def assert_same(first: TrialRecord, second: TrialRecord) -> None:
    assert (first.trial_id, first.spec, dict(first.facts)) == (second.trial_id, second.spec, dict(second.facts))
    assert first.logits.keys() == second.logits.keys()
    assert all(np.array_equal(first.logits[key], second.logits[key]) for key in first.logits)
    assert first.sample_ids == second.sample_ids
    pd.testing.assert_frame_equal(first.history, second.history, check_dtype=False)


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("where", ["disk", "memory"])
def test_what_is_written_is_read(
    tmp_path: Path,
    build_samples: Callable[..., Samples],
    build_record: Callable[..., TrialRecord],
    multi_label: bool,
    where: str,
) -> None:
    store = Store(str(tmp_path / "a store") if where == "disk" else f"memory://{tmp_path.name}{multi_label}")
    store.prepare()
    samples = build_samples(multi_label=multi_label)
    record = build_record(samples)
    store.write_samples(samples)
    for _ in range(2):  # writing again replaces
        store.write_trial(record)
    assert store.done_ids() == {record.trial_id}
    assert store.corrupt() == {}
    assert_same(store.read_trial(record.trial_id), record)
    again = store.read_samples(samples.fingerprint)
    np.testing.assert_array_equal(again.targets, samples.targets)
    pd.testing.assert_frame_equal(again.frame, samples.frame, check_dtype=False)
    names = ("fingerprint", "dataset", "modalities", "class_names", "multi_label")
    plain = [[getattr(one, name) for name in names] for one in (again, samples)]
    assert plain[0] == plain[1]


def test_a_leftover_staging_folder_is_no_trial(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    record = build_record(samples)
    store.write_trial(record)
    trials = Path(store.root, "trials")
    (trials / ".abc.123").mkdir()
    (trials / ".abc.123" / "spec.json").write_text("{")
    assert store.done_ids() == {record.trial_id}
    assert store.corrupt() == {}


def test_a_write_that_fails_leaves_nothing(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("results.files.replace_folder", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_trial(build_record(samples))
    assert list(Path(store.root, "trials").iterdir()) == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink], ids=["cut", "flipped", "missing"])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_trial_is_named_and_not_read(
    store: Store,
    samples: Samples,
    build_record: Callable[..., TrialRecord],
    damage: Callable[[Path], object],
    file: str,
) -> None:
    good, bad = build_record(samples, seed=0), build_record(samples, seed=1)
    for record in (good, bad):
        store.write_trial(record)
    damage(Path(store.root, "trials", bad.trial_id, file))
    assert list(store.corrupt()) == [bad.trial_id]
    assert store.done_ids(verify=True) == {good.trial_id}
    if damage is not flip:  # a plan looks at names and lengths only
        assert store.done_ids() == {good.trial_id}
        assert list(store.corrupt(verify=False)) == [bad.trial_id]
    assert [record.trial_id for record in store.records()] == [good.trial_id]
    with pytest.raises(CorruptTrialError, match=bad.trial_id):
        store.read_trial(bad.trial_id)


def test_a_done_mark_must_vouch_for_every_file(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    record = build_record(samples)
    store.write_trial(record)
    Path(store.root, "trials", record.trial_id, "DONE").write_text('{"schema_version": 1, "crc32": {}}')
    assert list(store.corrupt()) == [record.trial_id]


def test_newer_schemas_are_refused(store: Store, samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    record = build_record(samples)
    store.write_trial(record)
    done = Path(store.root, "trials", record.trial_id, "DONE")
    done.write_text(json.dumps(json.loads(done.read_text()) | {"schema_version": 99}))
    with pytest.raises(SchemaError, match="schema version 99"):
        store.read_trial(record.trial_id)
    Path(store.root, "store.json").write_text('{"schema_version": 99}')
    with pytest.raises(SchemaError, match="update mmpt-sweep"):
        Store(store.root)


def test_newer_parquet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("results.schema.SCHEMA_VERSION", 99)
    data = write_parquet(pa.table({"a": [1]}), {"from": "tomorrow"})
    monkeypatch.setattr("results.schema.SCHEMA_VERSION", 1)
    with pytest.raises(SchemaError, match="file x has schema version 99"):
        read_parquet(data, "file x")


def test_roots(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="relative path"):
        Store("results/store")
    with pytest.raises(StoreError, match="nosuch"):
        Store("nosuch://bucket/store")
    assert Path(absolute_root("here")).is_absolute()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written: "):
        Store(str(tmp_path / "file" / "store")).prepare()


def test_rows_must_match_the_samples(store: Store, samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    record = build_record(samples)
    short = {LogitsKey("probe", "audio", "test"): np.zeros((3, 4), np.float32)}
    with pytest.raises(ValueError, match="3 rows of logits for 60 samples"):
        store.write_trial(dataclasses.replace(record, logits=short))


def test_success_clears_failure_and_checkpoint(
    store: Store, samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    record = build_record(samples)
    failure = Failure(trial_id=record.trial_id, error="E", traceback="t", spec=record.spec.to_config())
    store.write_failure(failure)
    store.write_checkpoint(record.trial_id, b"half")
    assert store.failures() == {record.trial_id: failure}
    assert store.read_checkpoint(record.trial_id) == b"half"
    store.write_trial(record)
    assert store.failures() == {}
    assert store.read_checkpoint(record.trial_id) is None


def test_missing_samples_are_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no readable samples of data set abc"):
        store.read_samples("abc")


def test_names_leave_out_hidden_files_and_missing_folders(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    files.write(b"1", "folder", "b")
    files.write(b"2", "folder", ".a")
    assert files.names("folder") == ["b"]
    assert files.names("nowhere") == []
    files.remove("folder")
    assert not files.exists("folder")
