"""Prepared data: built once, whole or not there, checked, and the same as what the data set decoded."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.schema import SchemaError
from search_spaces.errors import InvalidValueError
from trainables.api import DataInfo, Dataset, DatasetCard, InputInfo, RawData
from trainables.cache_root import default_cache_root
from trainables.prepared import PreparedError, open_prepared, prepare, verify
from trainables.raw_data_checks import InvalidDataError, check_raw_data

INFO = DataInfo(
    dataset="trio",
    inputs={
        "image": InputInfo(kind="image", shape=(2, 3, 4)),
        "text": InputInfo(kind="text", shape=(5,), vocabulary_size=9),
        "vector": InputInfo(kind="vector", shape=(1,)),
    },
    class_names=["a", "b", "c"],
)


def _raw(count: int = 12) -> RawData:
    draws = np.random.default_rng(0)
    has_text = np.ones(count, bool)
    has_text[3] = False
    return RawData(
        sample_ids=[f"sample{i}" for i in range(count)],
        splits=["train"] * (count - 5) + ["val"] * 2 + ["test"] * 3,
        groups=["x"] * (count - 5) + ["y"] * 2 + ["", "", "z"],
        targets=np.arange(count, dtype=np.int64) % 3,
        inputs={
            "image": draws.standard_normal((count, 2, 3, 4)).astype(np.float32),
            "text": draws.integers(0, 9, (count, 5)),
            "vector": draws.standard_normal((count, 1)).astype(np.float32),
        },
        present={"text": has_text},
    )


class Trio(Dataset):
    card = DatasetCard(title="Trio", task="", licence="", source="")

    def __init__(self, raw: RawData | None = None, info: DataInfo = INFO) -> None:
        super().__init__(None)
        self.raw, self.its_info, self.loads = raw or _raw(), info, 0

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        return ("image", "text", "vector")

    def info(self) -> DataInfo:
        return self.its_info

    def content(self) -> dict[str, str]:
        return {}

    def load(self) -> RawData:
        self.loads += 1
        return self.raw


def test_gives_back_what_was_decoded_as_read_only_views(tmp_path: Path) -> None:
    dataset = Trio()
    prepared = prepare(dataset, "f1", tmp_path / "cache")
    raw = dataset.raw
    assert prepared.info == INFO
    assert prepared.sample_ids.tolist() == raw.sample_ids
    assert prepared.splits.tolist() == raw.splits
    assert prepared.groups.tolist() == raw.groups
    np.testing.assert_array_equal(prepared.targets, raw.targets)
    for name, values in raw.inputs.items():
        np.testing.assert_array_equal(prepared.inputs[name], values)
        assert prepared.inputs[name].dtype == values.dtype
        assert not prepared.inputs[name].flags.writeable
        assert not prepared.inputs[name].flags.owndata
    np.testing.assert_array_equal(prepared.present["text"], raw.present["text"])
    assert prepared.present["image"].all()
    assert prepared.rows("val").tolist() == [7, 8]


def test_is_decoded_only_once(tmp_path: Path) -> None:
    dataset = Trio()
    for _ in range(3):
        prepare(dataset, "f1", tmp_path)
    assert dataset.loads == 1


def test_many_labels_per_sample(tmp_path: Path) -> None:
    targets = np.eye(12, 3, dtype=np.int64)
    prepared = prepare(Trio(replace(_raw(), targets=targets), replace(INFO, multi_label=True)), "f1", tmp_path)
    np.testing.assert_array_equal(prepared.targets, targets)
    assert prepared.to_samples("trio").multi_label


def test_samples_for_the_store(tmp_path: Path) -> None:
    samples = prepare(Trio(), "f1", tmp_path).to_samples("trio")
    assert (samples.dataset, samples.fingerprint) == ("trio", "f1")
    assert samples.modalities == ["image", "text", "vector"]
    ids, targets = samples.split("val")
    assert ids == ["sample7", "sample8"]
    assert targets.tolist() == [1, 2]


# -- damage ----------------------------------------------------------------------------------------------------------


def _cut(folder: Path) -> None:
    data = (folder / "data.arrow").read_bytes()
    (folder / "data.arrow").write_bytes(data[:-100])


def _flip(folder: Path) -> None:
    data = bytearray((folder / "data.arrow").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "data.arrow").write_bytes(bytes(data))


def _overwrite(folder: Path) -> None:
    size = (folder / "data.arrow").stat().st_size
    (folder / "data.arrow").write_bytes(b"x" * size)


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _overwrite,
        lambda folder: (folder / "data.arrow").unlink(),
        lambda folder: (folder / "card.json").unlink(),
        lambda folder: (folder / "card.json").write_text("{"),
        lambda folder: (folder / "card.json").write_text("{}"),
    ],
)
def test_damage_names_the_folder_and_the_cure(tmp_path: Path, damage: Any) -> None:
    prepare(Trio(), "f1", tmp_path)
    damage(tmp_path / "f1")
    with pytest.raises(PreparedError, match=f"{tmp_path}/f1 is damaged .* delete that folder"):
        prepare(Trio(), "f1", tmp_path)


def test_a_flipped_bit_is_found_by_verify(tmp_path: Path) -> None:
    prepare(Trio(), "f1", tmp_path)
    verify("f1", tmp_path)
    _flip(tmp_path / "f1")
    with pytest.raises(PreparedError, match=r"checksum .* delete that folder"):
        verify("f1", tmp_path)


def test_a_newer_programs_cache_is_refused(tmp_path: Path) -> None:
    prepare(Trio(), "f1", tmp_path)
    card = json.loads((tmp_path / "f1" / "card.json").read_text())
    (tmp_path / "f1" / "card.json").write_text(json.dumps({**card, "schema_version": 99}))
    with pytest.raises(SchemaError, match="schema version 99"):
        open_prepared("f1", tmp_path)


def test_absent_data_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(PreparedError, match="f1"):
        open_prepared("f1", tmp_path)


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PreparedError, match="MMPT_CACHE"):
        prepare(Trio(), "f1", tmp_path / "file")


def test_an_error_of_the_data_set_is_not_blamed_on_the_cache(tmp_path: Path) -> None:
    dataset = Trio()
    dataset.load = (tmp_path / "absent.csv").read_text  # type: ignore[assignment]
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        prepare(dataset, "f1", tmp_path)
    assert not (tmp_path / "f1").exists()


# -- several processes -----------------------------------------------------------------------------------------------

BUILDER = textwrap.dedent(
    """
    import os, sys, time
    from pathlib import Path
    from search_spaces.spec import TrialSpec
    from trainables.dataset_identity import open_dataset
    from trainables import prepared
    dataset, fingerprint = open_dataset(TrialSpec(dataset="av_digits", method="naive"))
    root, mode = Path(sys.argv[1]), sys.argv[2]
    load = dataset.load
    def logged():
        with (root / "loads").open("a") as log:
            log.write("load\\n")
        return load()
    dataset.load = logged
    if mode == "die":
        write = prepared._write_arrays
        def half(table, staging):
            write(table, staging)
            os.kill(os.getpid(), 9)
        prepared._write_arrays = half
    print(fingerprint, len(prepared.prepare(dataset, fingerprint, root).sample_ids))
    """
)


def _start(root: Path, mode: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILDER, str(root), mode]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_at_once_build_once_and_both_get_it(tmp_path: Path) -> None:
    both = [_start(tmp_path, "whole"), _start(tmp_path, "whole")]
    outputs = [process.communicate(timeout=120)[0].split() for process in both]
    assert outputs[0] == outputs[1]
    assert outputs[0][1] == "1797"
    assert (tmp_path / "loads").read_text() == "load\n"


def test_a_killed_builder_leaves_nothing_that_is_taken_for_whole(tmp_path: Path) -> None:
    killed = _start(tmp_path, "die")
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    staged = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(staged) == 1
    fingerprint = staged[0].name.split(".")[1]
    assert not (tmp_path / fingerprint).exists()
    again = _start(tmp_path, "whole")
    assert again.communicate(timeout=120)[0].split() == [fingerprint, "1797"]
    verify(fingerprint, tmp_path)
    assert not staged[0].exists()


# -- rules -----------------------------------------------------------------------------------------------------------


def _with_input(name: str, change: Any) -> Any:
    values = _raw().inputs[name].copy()
    return {"inputs": {**_raw().inputs, name: change(values)}}


def _set(values: Any, place: Any, value: Any) -> Any:
    values[place] = value
    return values


BROKEN = {
    "no modality at all": {"present": {m: np.arange(12) != 4 for m in ("image", "text", "vector")}},
    "presence of text is int64": {"present": {"text": np.ones(12, np.int64)}},
    "presence of unknown modality smell": {"present": {"smell": np.ones(12, bool)}},
    "occur more than once, for instance 'twin'": {"sample_ids": ["twin", "twin", *_raw().sample_ids[2:]]},
    "unknown split 'dev'": {"splits": ["dev", *_raw().splits[1:]]},
    "no sample in split val": {"splits": ["train"] * 9 + ["test"] * 3, "groups": [""] * 12},
    "1 groups are in both train and val, for instance 'x'": {"groups": ["x"] * 8 + ["y"] + [""] * 3},
    "1 groups are in both val and test, for instance 'y'": {"groups": ["x"] * 7 + ["y"] * 2 + ["", "", "y"]},
    "12 sample ids but 11 entries of groups": {"groups": [""] * 11},
    "target 3 is outside 0 ... 2": {"targets": np.full(12, 3)},
    "target -1 is outside": {"targets": np.full(12, -1)},
    "targets are float64": {"targets": np.zeros(12)},
    "inputs of image, but info() names image, text, vector": {"inputs": {"image": _raw().inputs["image"]}},
    "input vector of sample 'sample2' is not finite": _with_input("vector", lambda v: _set(v, 2, np.nan)),
    "input vector is float64 (1,) per sample": _with_input("vector", lambda v: v.astype(float)),
    "input image is float32 (2, 3, 3) per sample": _with_input("image", lambda v: v[..., :3]),
    "token ids from 0 to 9, allowed are 0 ... 8": _with_input("text", lambda v: _set(_set(v, (0, 0), 0), (0, 1), 9)),
}


@pytest.mark.parametrize("message", BROKEN)
def test_data_that_breaks_a_rule_is_refused(tmp_path: Path, message: str) -> None:
    raw = replace(_raw(), **BROKEN[message])
    with pytest.raises(InvalidDataError) as raised:
        prepare(Trio(raw), "f1", tmp_path)
    assert message in str(raised.value)
    assert "data set trio: " in str(raised.value)
    assert not (tmp_path / "f1").exists()


def test_a_multi_label_target_must_be_zeros_and_ones() -> None:
    with pytest.raises(InvalidDataError, match=r"target 2 is outside 0 \.\.\. 1"):
        check_raw_data(replace(_raw(), targets=np.full((12, 3), 2)), replace(INFO, multi_label=True))


@pytest.mark.parametrize(("kind", "shape"), [("text", (0,)), ("audio", (4, 0))])
def test_text_and_audio_of_zero_length_are_refused(kind: Any, shape: tuple[int, ...]) -> None:
    dtype = np.int64 if kind == "text" else np.float32
    raw = replace(_raw(), inputs={**_raw().inputs, "text": np.zeros((12, *shape), dtype)})
    own = InputInfo(kind=kind, shape=shape, vocabulary_size=9)
    with pytest.raises(InvalidDataError, match=r"input text has no values in any sample: its shape is \("):
        check_raw_data(raw, replace(INFO, inputs={**INFO.inputs, "text": own}))


# -- where -----------------------------------------------------------------------------------------------------------


def test_cache_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "mine"))
    assert default_cache_root() == tmp_path / "mine"
    monkeypatch.setenv("MMPT_CACHE", "mine")
    with pytest.raises(InvalidValueError, match=r"MMPT_CACHE: 'mine' .* absolute path"):
        default_cache_root()
    monkeypatch.delenv("MMPT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_root() == tmp_path / "mmpt-sweep"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_root() == Path.home() / ".cache" / "mmpt-sweep"
