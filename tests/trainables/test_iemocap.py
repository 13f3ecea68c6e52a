"""IEMOCAP: folds by session, three sources of labels, features of faces, and pickles that must not run."""

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import raw_iemocap

from search_spaces.errors import InvalidValueError
from trainables.dataset_identity import build_dataset
from trainables.preparing.tree import RawDataError

RAW = {"features": "raw", "tokenizer": "words", "tokens": 12, "bands": 16, "frames": 32, "image_size": 16}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    raw_iemocap.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def _opened(root: Path, **params: Any) -> Any:
    dataset: Any = build_dataset("iemocap", params)
    dataset.root = root
    return dataset


@pytest.mark.parametrize(("fold", "sizes"), [(1, (3423, 1023, 1085)), (4, (3259, 1241, 1031)), (5, (3205, 1085, 1241))])
def test_a_fold_tests_on_its_session_and_validates_on_the_next(
    raw: Path, fold: int, sizes: tuple[int, int, int]
) -> None:
    dataset = _opened(raw, fold=fold)
    manifest, _ = dataset.manifest()
    sessions: dict[str, set[str]] = {}
    for sample in manifest.samples:
        sessions.setdefault(sample.split, set()).add(sample.group)
    assert sessions["test"] == {f"Ses0{fold}"}
    assert sessions["val"] == {f"Ses0{fold % 5 + 1}"}
    assert len(sessions["train"]) == 3
    assert tuple(official for _, official in dataset.sizes(manifest).values()) == sizes
    assert sum(sizes) == 5531
    with pytest.raises(InvalidValueError, match="an integer in \\[1, 5\\]"):
        _opened(raw, fold=6)


def test_excited_counts_as_happy_and_rejected_emotions_are_left_out(raw: Path) -> None:
    manifest, audit = _opened(raw).manifest()
    labels = {sample.sample_id: sample.label for sample in manifest.samples}
    assert [labels[name] for name in raw_iemocap.UTTERANCES[2]] == [
        *("happy", "happy", "sad", "neutral", "angry", "neutral", "sad", "angry")
    ]
    assert "Ses01F_impro01_M099" not in labels
    assert len(audit.findings["unknown_label"]) == 2


def test_labels_of_the_pickle_are_those_of_the_release(raw: Path) -> None:
    first = _opened(raw)
    released = dict(zip((s.sample_id for s in first.manifest()[0].samples), first.load().targets.tolist(), strict=True))
    shutil.rmtree(raw / "IEMOCAP_full_release")
    with pytest.raises(RawDataError, match="neither dialog/EmoEvaluation"):
        _opened(raw).manifest()
    raw_iemocap.make_pickle(raw)
    second = _opened(raw)
    pickled = dict(
        zip((s.sample_id for s in second.manifest()[0].samples), second.load().targets.tolist(), strict=True)
    )
    assert {name: pickled[name] for name in released} == released
    assert set(pickled) - set(released) == {"Ses05F_impro01_F006"}  # whose label in the release is unknown


class _Malicious:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_malicious_pickle_is_refused_and_does_nothing(raw: Path, tmp_path: Path) -> None:
    shutil.rmtree(raw / "IEMOCAP_full_release")
    path = raw / "IEMOCAP_features_raw_4way.pkl"
    path.write_bytes(pickle.dumps([_Malicious(f"touch {tmp_path / 'owned'}")] * 6))
    with pytest.raises(RawDataError, match=r"raw_4way\.pkl: pickle that names \w+\.system"):
        _opened(raw).manifest()
    assert not (tmp_path / "owned").exists()
    path.write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(RawDataError, match="not GCNet's pickle of six"):
        _opened(raw).manifest()


def test_vectors_are_means_over_what_a_file_or_the_speakers_faces_hold(raw: Path) -> None:
    dataset = _opened(raw)
    loaded = dataset.load()
    rows = {name: row for row, name in enumerate(loaded.sample_ids)}
    frames = np.load(raw / "features/manet_UTT/Ses02F_impro01_F000.npy")
    np.testing.assert_allclose(loaded.inputs["visual"][rows["Ses02F_impro01_F000"]], frames.mean(axis=0), rtol=1e-6)
    folder = raw / "features/manet_UTT/Ses04F_impro01_M003"
    own = np.mean([np.load(folder / f"M_{face:04d}.npy") for face in (1, 2)], axis=0)
    np.testing.assert_allclose(loaded.inputs["visual"][rows["Ses04F_impro01_M003"]], own, rtol=1e-6)
    for faceless in ("Ses04F_impro01_M001", "Ses05F_impro01_F000"):
        assert not loaded.present["visual"][rows[faceless]]
        assert loaded.present["audio"][rows[faceless]]


@pytest.mark.parametrize("visual", ["features", "frames"])
def test_raw_reads_sound_words_and_faces(raw: Path, visual: str) -> None:
    raw_iemocap.make_frames(raw)
    dataset = _opened(raw, visual=visual, **RAW)
    assert dataset.info().inputs["visual"].kind == ("vector" if visual == "features" else "image")
    manifest, audit = dataset.manifest()
    media = {sample.sample_id: sample.media for sample in manifest.samples}
    assert media["Ses01F_impro01_F000"]["text"] == raw_iemocap.COLON
    assert media["Ses01F_impro01_M001"]["text"] == ""
    assert len(audit.findings["cut_audio"]) == 5
    assert {code: audit.findings[code] for code in raw_iemocap.PLANTED_IN_TEXTS} == raw_iemocap.PLANTED_IN_TEXTS
    assert "frames" in media["Ses02F_impro01_F000"]["visual"] or visual == "features"
    if visual == "frames":
        assert media["Ses02F_impro01_F000"]["visual"].endswith("/1.jpg")
        assert audit.findings["no_face"] == ["Ses01F_impro01_F000"]
    loaded = dataset.load()
    rows = {name: row for row, name in enumerate(loaded.sample_ids)}
    assert not loaded.present["text"][rows["Ses01F_impro01_M001"]]
    assert loaded.present["audio"].all()
    assert loaded.present["text"].sum() == len(rows) - 1


def test_mlas_own_split_is_read_and_its_leak_is_reported(raw: Path) -> None:
    with pytest.raises(RawDataError, match=r"one of train\.txt, mla/train\.txt"):
        _opened(raw, split="mla_random").manifest()
    raw_iemocap.make_lists(raw)
    dataset = _opened(raw, split="mla_random", **RAW)
    manifest, audit = dataset.manifest()
    assert dataset.sizes(manifest) == {"train": (20, 3318), "val": (10, 1106), "test": (10, 1107)}
    assert len(audit.findings["cross_split_group"]) == 10
    texts = {sample.sample_id: sample.media["text"] for sample in manifest.samples}
    assert texts["Ses03F_impro01_F004"] == "text of Ses03F_impro01_F004"
