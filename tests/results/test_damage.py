"""Stores with foreign, newer, copied and half-written files: named or left out, never in the way, never a number."""

import dataclasses
import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from results.data import load
from results.files import Files, StoreError
from results.schema import LogitsKey, Samples, SchemaError, TrialRecord
from results.store import CorruptTrialError, Failure, Store
from results.testbed import Profile
from search_spaces.errors import MmptError

Make = Callable[..., TrialRecord]


def trial_folder(store: Store, trial_id: str) -> Path:
    return Path(store.root, "trials", trial_id)


def rewrite(store: Store, trial_id: str, **changes: Any) -> None:
    """Change spec.json and make DONE vouch for it."""
    folder = trial_folder(store, trial_id)
    content = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**content, **changes}))
    done = json.loads((folder / "DONE").read_text())
    done["crc32"]["spec.json"] = zlib.crc32((folder / "spec.json").read_bytes())
    (folder / "DONE").write_text(json.dumps(done))


def test_a_copied_folder_is_no_trial(store: Store, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    store.write_samples(samples)
    store.write_trial(record)
    shutil.copytree(trial_folder(store, record.trial_id), trial_folder(store, "copy"))
    assert store.done_ids() == {record.trial_id} == set(load(store).trials.index)
    assert f"copy of trial {record.trial_id}" in store.corrupt()["copy"]
    assert list(load(store).corrupt) == ["copy"]


@pytest.mark.parametrize(
    "changes", [{"facts": None}, {"facts": {"modalities": []}}, {"spec": []}, {"spec": {"dataset": 3}}]
)
def test_a_malformed_spec_is_damage_everywhere(
    store: Store, samples: Samples, build_record: Make, changes: dict[str, Any]
) -> None:
    record = build_record(samples)
    store.write_samples(samples)
    store.write_trial(record)
    rewrite(store, record.trial_id, **changes)
    assert store.done_ids() == set()
    assert list(store.corrupt()) == list(load(store).corrupt) == [record.trial_id]
    with pytest.raises(CorruptTrialError, match=r"spec\.json"):
        store.read_trial(record.trial_id)


def test_one_newer_trial_blocks_nothing(store: Store, samples: Samples, build_record: Make) -> None:
    old, new = build_record(samples, seed=0), build_record(samples, seed=1)
    store.write_samples(samples)
    for record in (old, new):
        store.write_trial(record)
    done = trial_folder(store, new.trial_id) / "DONE"
    done.write_text(json.dumps(json.loads(done.read_text()) | {"schema_version": 99}))
    assert store.done_ids() == {old.trial_id} == set(load(store).trials.index)
    assert "schema version 99" in store.corrupt()[new.trial_id]
    assert "schema version 99" in load(store).corrupt[new.trial_id]
    with pytest.raises(SchemaError):
        store.read_trial(new.trial_id)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": "one"}', '{"schema_version": null}'])
def test_a_damaged_marker_is_named_by_its_path(store: Store, content: str) -> None:
    marker = Path(store.root, "store.json")
    marker.write_text(content)
    with pytest.raises(StoreError, match=r"store\.json is damaged"):
        Store(store.root)


def test_failures_survive_what_others_leave(store: Store, samples: Samples, build_record: Make) -> None:
    spec = build_record(samples).spec.to_config()
    failure = Failure(trial_id="abc", error="E", traceback="t", spec=spec)
    store.write_failure(failure)
    folder = Path(store.root, "failures")
    newer = json.loads((folder / "abc.json").read_text()) | {"trial_id": "new", "node": "gpu-1"}
    (folder / "new.json").write_text(json.dumps(newer))
    for name, content in {"half.json": '{"trial_id": "ha', "list.json": "[]", "notes.txt": "hello"}.items():
        (folder / name).write_text(content)
    (folder / "bytes.json").write_bytes(b"\xff\xfe")
    assert store.failures() == {"abc": failure, "new": dataclasses.replace(failure, trial_id="new")}


def test_a_failure_of_a_done_trial_is_over(store: Store, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    store.write_trial(record)
    store.write_failure(Failure(trial_id=record.trial_id, error="E", traceback="t", spec=record.spec.to_config()))
    assert store.failures() == {}
    (trial_folder(store, record.trial_id) / "logits.parquet").unlink()
    assert list(store.failures()) == [record.trial_id]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_logits_that_are_not_finite_are_refused(
    store: Store, samples: Samples, build_record: Make, value: float
) -> None:
    record = build_record(samples)
    key = LogitsKey("probe", "audio", "test")
    logits = record.logits[key].astype(np.float64)
    logits[3, 1] = value
    bad = dataclasses.replace(record, logits={**record.logits, key: logits})
    with pytest.raises(StoreError, match="logits of 1 of 60 samples are not finite"):
        store.write_trial(bad)
    assert store.trial_ids() == []
    if not np.isfinite(value):
        with pytest.raises(MmptError, match="not all finite"):
            Profile.of(bad, samples)


@pytest.mark.parametrize("fault", ["fewer", "repeated", "none"])
def test_a_trial_must_have_exactly_the_samples_of_the_split(
    store: Store, samples: Samples, build_record: Make, fault: str
) -> None:
    record = build_record(samples)
    keep = {"fewer": range(59), "repeated": [*range(59), 0], "none": range(0)}[fault]
    ids = {**record.sample_ids, "test": [record.sample_ids["test"][row] for row in keep]}
    logits = {key: values[list(keep)] if key.split == "test" else values for key, values in record.logits.items()}
    logits = {key: values for key, values in logits.items() if len(values)}
    bad = dataclasses.replace(record, sample_ids=ids, logits=logits)
    with pytest.raises(MmptError, match="test samples are not those of"):
        Profile.of(bad, samples)
    store.write_trial(bad)  # the data set's samples come later: nothing could check it
    store.write_samples(samples)
    assert "test samples are not those of" in load(store).corrupt[record.trial_id]
    with pytest.raises(MmptError, match="test samples are not those of"):
        store.write_trial(dataclasses.replace(bad, trial_id="again"))


def test_patterns_of_a_split_share_its_samples(store: Store, samples: Samples, build_record: Make) -> None:
    record = build_record(samples)
    store.write_trial(record)
    path = trial_folder(store, record.trial_id) / "logits.parquet"
    table = pq.read_table(path)
    ids = table["sample_id"].to_pylist()
    first = next(place for place, split in enumerate(table["split"].to_pylist()) if split == "test")
    ids[first], ids[first + 1] = ids[first + 1], ids[first]
    place = table.schema.get_field_index("sample_id")
    pq.write_table(table.set_column(place, "sample_id", [ids]), path)
    done = path.with_name("DONE")
    content = json.loads(done.read_text())
    content["crc32"]["logits.parquet"] = zlib.crc32(path.read_bytes())
    content["bytes"]["logits.parquet"] = path.stat().st_size
    done.write_text(json.dumps(content))
    with pytest.raises(CorruptTrialError, match="other test samples"):
        store.read_trial(record.trial_id)


def test_any_flipped_bit_of_the_samples_is_found_and_mended(store: Store, samples: Samples) -> None:
    store.write_samples(samples)
    path = Path(store.root, "datasets", samples.fingerprint, "samples.parquet")
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        try:
            read = store.read_samples(samples.fingerprint)
        except StoreError:
            refused += 1
        else:  # a byte that no reader looks at
            assert read.frame.equals(store_frame(store, whole, path, samples))
    assert refused > 0
    path.write_bytes(whole[:-9])
    store.write_samples(samples)
    assert path.read_bytes() == whole


def store_frame(store: Store, whole: bytes, path: Path, samples: Samples) -> Any:
    path.write_bytes(whole)
    return store.read_samples(samples.fingerprint).frame


def test_a_bucket_is_not_done_while_it_is_rewritten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = Files(f"memory://{tmp_path.name}")
    files.publish(("folder",), {"a": b"1", "DONE": b"1"}, last="DONE")
    seen: list[bool] = []
    pipe_file = type(files._fs).pipe_file

    def watch(fs: Any, path: str, *rest: Any, **named: Any) -> Any:
        seen.append(files.exists("folder", "DONE"))
        return pipe_file(fs, path, *rest, **named)

    monkeypatch.setattr(type(files._fs), "pipe_file", watch)
    files.publish(("folder",), {"DONE": b"2", "a": b"2"}, last="DONE")
    assert seen == [False, False]
    assert files.read("folder", "DONE") == b"2"


def test_another_writer_may_win_the_race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(str(tmp_path))
    files.publish(("folder",), {"DONE": b"old"}, last="DONE")
    rename = Path.rename

    def race(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        if path.name == "folder":  # the old folder is out of the way: the other writer is faster
            path.mkdir()
            (path / "DONE").write_bytes(b"theirs")
        return moved

    monkeypatch.setattr(Path, "rename", race)
    files.publish(("folder",), {"DONE": b"ours"}, last="DONE")
    assert files.read("folder", "DONE") == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_failed_replacement_keeps_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(str(tmp_path))
    files.publish(("folder",), {"DONE": b"old"}, last="DONE")
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if target.name == "folder" and not path.name.endswith(".old"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="Input/output"):
        files.publish(("folder",), {"DONE": b"new"}, last="DONE")
    assert files.read("folder", "DONE") == b"old"
