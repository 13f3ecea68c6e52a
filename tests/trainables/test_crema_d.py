"""CREMA-D: lists and names, validation, speakers, votes, pointers of Git LFS."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import raw_crema_d
from opened import fingerprint, indexed, opened, samples

from trainables.datasets import _clips
from trainables.preparing.tree import RawDataError

KEY = "crema_d"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw_crema_d.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def test_labels_are_the_emotions_of_the_names_in_ogm_ges_order(root: Path) -> None:
    assert opened(KEY, root).classes == ("neutral", "happy", "sad", "fear", "disgust", "anger")
    found = samples(KEY, root)
    assert found["1002_IEO_ANG_XX"].label == "anger"
    assert found["1002_TIE_NEU_X"].label == "neutral"


def test_the_lists_decide_test_and_a_tenth_of_every_class_of_train_is_validation(root: Path) -> None:
    found = samples(KEY, root)
    assert {name for name, sample in found.items() if sample.split == "test"} == set(raw_crema_d.TEST)
    assert Counter(sample.label for sample in found.values() if sample.split == "val") == {"anger": 1, "neutral": 1}


def test_mlas_form_of_the_lists_is_the_same(root: Path) -> None:
    before = fingerprint(KEY, root)
    for name in ("train", "test"):
        path = root / f"{name}.csv"
        lines = path.read_text(encoding="utf-8-sig").split()
        path.write_text("\n".join(f"{line.partition(',')[0]}.flv {line.partition(',')[2]}" for line in lines))
    assert fingerprint(KEY, root) == before


def test_one_list_alone_is_refused(root: Path) -> None:
    (root / "test.csv").unlink()
    with pytest.raises(RawDataError, match=r"only one of train\.csv and test\.csv"):
        indexed(KEY, root)


def test_without_lists_the_split_is_drawn_by_name(root: Path, tmp_path: Path) -> None:
    for name in ("train", "test"):
        (root / f"{name}.csv").unlink()
    found = samples(KEY, root)
    assert {sample.split for sample in found.values()} == {"train", "val", "test"}
    assert len(found) == len(raw_crema_d.STEMS) + 1  # and the clip that the lists leave out
    shutil.move(root / "Image-01-FPS", root / "frames")
    assert {name: sample.split for name, sample in samples(KEY, root).items()} == {
        name: sample.split for name, sample in found.items()
    }


def test_speakers_can_be_kept_apart(root: Path) -> None:
    found = samples(KEY, root, split="speaker_disjoint").values()
    assert {(sample.group, sample.split) for sample in found} == {
        ("actor 1001", "train"),
        ("actor 1002", "train"),
        ("actor 1075", "val"),
        ("actor 1085", "test"),
    }


def test_by_clip_actors_are_in_several_splits_as_in_the_papers(root: Path) -> None:
    found = samples(KEY, root).values()
    by_split = {split: {s.group for s in found if s.split == split} for split in ("train", "test")}
    assert by_split["test"] <= by_split["train"]


def test_votes_replace_the_names_and_ties_are_left_out(root: Path) -> None:
    with pytest.raises(RawDataError, match=r"summaryTable\.csv is not there"):
        indexed(KEY, root, label_source="votes")
    rows = [f'{n},"{stem}",A,60,A,60,{"H:N" if n == 0 else "H"},70' for n, stem in enumerate(raw_crema_d.STEMS)]
    head = '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"'
    (root / "processedResults").mkdir()
    (root / "processedResults" / "summaryTable.csv").write_text("\n".join([head, *rows]))
    manifest, audit = indexed(KEY, root, label_source="votes")
    assert {sample.label for sample in manifest.samples} == {"happy"}
    assert raw_crema_d.STEMS[0] in audit.findings["unknown_label"]


def test_a_zip_of_the_repository_has_only_pointers(root: Path) -> None:
    for path in (root / "AudioWAV").glob("*.wav"):
        path.write_bytes(raw_crema_d.POINTER)
    with pytest.raises(RawDataError, match="git lfs pull"):
        indexed(KEY, root)


def test_videos_without_a_decoder_are_answered_with_what_to_install_or_extract(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_clips, "can_decode_videos", lambda: False)
    shutil.rmtree(root / "Image-01-FPS")
    (root / "VideoFlash").mkdir()
    (root / "VideoFlash" / f"{raw_crema_d.STEMS[5]}.flv").write_bytes(b"FLV")
    with pytest.raises(RawDataError, match=r"no frames .*(?s:.*)VideoFlash/\*\.flv(?s:.*)ffmpeg .*fps=1"):
        indexed(KEY, root)


def test_frames_are_in_the_order_of_their_numbers(root: Path) -> None:
    folder = root / "Image-01-FPS" / "1085_DFA_ANG_XX"
    for path in folder.iterdir():
        path.rename(folder / f"{int(path.stem)}.jpg")
    video = samples(KEY, root)["1085_DFA_ANG_XX"].media["video"] or ()
    assert [path.rpartition("/")[2] for path in video] == ["1.jpg", "2.jpg", "10.jpg"]
