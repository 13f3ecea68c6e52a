"""Kinetics-Sounds: three forms of the list, names, replacements, what is said of vanished clips."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import raw_kinetics_sounds
from opened import fingerprint, indexed, opened, samples
from raw_kinetics_sounds import CLIPS, REPLACED

from trainables.datasets import _clips
from trainables.preparing.tree import RawDataError

KEY = "kinetics_sounds"
SPLITS = {"training": "train", "validation": "val", "testing": "test"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw_kinetics_sounds.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def test_the_31_classes_are_in_alphabetical_order(root: Path) -> None:
    classes = opened(KEY, root).classes
    assert len(classes) == 31
    assert list(classes) == sorted(classes)


def test_ids_are_the_first_eleven_letters_whatever_follows(root: Path) -> None:
    found = samples(KEY, root)
    assert all(len(name) == 11 for name in found)
    assert any(name.startswith("-") for name in found)
    assert any("_" in name[1:] for name in found)
    assert {name: sample.split for name, sample in found.items()} == {
        name[:11]: SPLITS[subset] for name, (subset, _) in list(CLIPS.items())[1:]
    }


def test_a_replacement_wins_over_the_corrupted_original(root: Path) -> None:
    sound = samples(KEY, root)[REPLACED[:11]].media["audio"]
    assert sound == f"replacement_for_corrupted_k400/audio/{REPLACED}.wav"


def test_kinetics_400s_own_lists_are_the_same(root: Path) -> None:
    before = fingerprint(KEY, root)
    (root / "KS_train_val.json").unlink()
    (root / "annotations").mkdir()
    for subset, split in SPLITS.items():
        rows = [f'"{label}",{name[:11]},58,68,{split}' for name, (own, label) in CLIPS.items() if own == subset]
        lines = ["label,youtube_id,time_start,time_end,split", *rows, f"yodelling,zzzzzzzzzzz,1,11,{split}"]
        (root / "annotations" / f"{split}.csv").write_text("\n".join(lines))
    assert fingerprint(KEY, root) == before


def test_ogm_ges_lists_have_no_validation_so_a_tenth_of_train_is_drawn(root: Path) -> None:
    (root / "KS_train_val.json").unlink()
    labels = list(opened(KEY, root).classes)
    numbers = {name: labels.index(label) for name, (_, label) in CLIPS.items()}
    train = [f"{name},10,{number}" for name, number in numbers.items() if CLIPS[name][0] != "testing"]
    test = [f"{name},10,{number}" for name, number in numbers.items() if CLIPS[name][0] == "testing"]
    (root / "my_train.txt").write_text("\n".join([*train, "zzzzzzzzzzz_1,10,31", train[0]]))
    (root / "my_test.txt").write_text("\n".join([*test, train[1]]))
    manifest, audit = indexed(KEY, root)
    assert Counter(sample.split for sample in manifest.samples) == {"train": 12, "val": 2, "test": 5}
    assert audit.findings["unknown_label"] == ["zzzzzzzzzzz"]
    assert audit.findings["dup_id"] == [train[0][:11], f"audio/{REPLACED}.wav"]
    assert audit.findings["cross_split_dup"] == [train[1][:11]]


def test_a_list_that_is_none_is_refused(root: Path) -> None:
    path = root / "KS_train_val.json"
    path.write_text(json.dumps({"database": {"a": {"subset": "extra", "label": "bowling"}}}))
    with pytest.raises(RawDataError, match="a is in subset 'extra'"):
        indexed(KEY, root)
    path.write_text("[]")
    with pytest.raises(RawDataError, match="a JSON list; expected one dict"):
        indexed(KEY, root)
    path.write_text("{}")
    with pytest.raises(RawDataError, match="no object database"):
        indexed(KEY, root)


def test_videos_without_a_decoder_are_answered_with_what_to_install_or_extract(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_clips, "can_decode_videos", lambda: False)
    for folder in ("audio", "Image-01-FPS", "replacement_for_corrupted_k400"):
        shutil.rmtree(root / folder)
    (root / "k400" / "train").mkdir(parents=True)
    (root / "k400" / "train" / f"{REPLACED}.mp4").write_bytes(b"ftyp")
    with pytest.raises(RawDataError, match=r"no sounds .* and no frames (?s:.*)k400/train/\*\.mp4(?s:.*)-ar 16000"):
        indexed(KEY, root)
