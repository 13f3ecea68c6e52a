"""IEMOCAP as MMIN publishes it: ten folds, sequences that become means, and files that are refused."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import raw_iemocap as raw_files
from file_datasets import samples_of

from search_spaces.errors import InvalidValueError
from trainables.dataset_identity import build_dataset, compute_fingerprint
from trainables.prepared import prepare
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

COUNTS = {"angry": 1103, "happy": 1636, "neutral": 1708, "sad": 1084}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw_files.make_mmin(tmp_path / "raw")
    return tmp_path / "raw"


def _opened(root: Path, **params: Any) -> Any:
    dataset: Any = build_dataset("iemocap", {"features": "mmin", "split": "mmin", **params})
    dataset.root = root
    return dataset


@pytest.mark.parametrize(("fold", "session", "tested"), [(1, 1, "M"), (2, 1, "F"), (10, 5, "F")])
def test_a_fold_is_what_its_files_say(root: Path, fold: int, session: int, tested: str) -> None:
    dataset = _opened(root, fold=fold)
    manifest, audit = dataset.manifest()
    groups: dict[str, set[str]] = {}
    for sample in manifest.samples:
        groups.setdefault(sample.split, set()).add(sample.group)
    assert groups["test"] == {f"Ses0{session}{tested}"}
    assert groups["val"] == {f"Ses0{session}{'FM'[tested == 'F']}"}
    assert len(groups["train"]) == 8
    assert "cross_split_group" not in audit.findings
    assert [official for _, official in dataset.sizes(manifest).values()] == [None, None, None]


def test_labels_are_those_of_the_release_and_gcnets_vectors_can_be_had_in_the_folds(tmp_path: Path) -> None:
    raw_files.make_raw(tmp_path)
    raw_files.make_mmin(tmp_path / "IEMOCAP_features_2021")
    released = samples_of(_opened(tmp_path, features="gcnet", split="session_loso"))
    found = samples_of(_opened(tmp_path, fold=7))
    both = set(released) & set(found)
    assert len(both) == 38
    assert {name: found[name].label for name in both} == {name: released[name].label for name in both}
    mixed = samples_of(_opened(tmp_path, features="gcnet", fold=7))
    assert {name: one.split for name, one in mixed.items()} == {name: one.split for name, one in found.items()}
    assert mixed["Ses04F_impro01_F000"].media["audio"] == "features/wav2vec-large-c-UTT/Ses04F_impro01_F000.npy"


def test_vectors_are_means_over_the_frames_that_are_no_filling_and_sound_is_standardised_by_the_fold(
    root: Path,
) -> None:
    place = [name for names in raw_files.UTTERANCES.values() for name in names].index(raw_files.FILLED_UP)
    real = slice(0, 2 + place % 3)
    for fold in (2, 9):
        loaded = _opened(root, fold=fold).load()
        row = list(loaded.sample_ids).index(raw_files.FILLED_UP)
        for modality, path in (("audio", "A/comparE.h5"), ("text", "L/bert_large.h5"), ("visual", "V/denseface.h5")):
            width = raw_files.MMIN_SEQUENCES[path]
            frames = raw_files.mmin_sequence(path, width, raw_files.FILLED_UP, place)
            assert not frames[real.stop :].any()
            expected = frames[real].mean(axis=0)
            expected = (expected - fold) / (2 * fold) if modality == "audio" else expected
            np.testing.assert_allclose(loaded.inputs[modality][row], expected, rtol=1e-4, atol=1e-6)
    assert compute_fingerprint(_opened(root, fold=2)) != compute_fingerprint(_opened(root, fold=9))


def test_other_means_and_deviations_are_another_data_set(root: Path) -> None:
    before = compute_fingerprint(_opened(root))
    with h5py.File(root / "A/comparE_mean_std.h5", "a") as file:
        file["11/mean"] = np.ones(13_000)
    assert compute_fingerprint(_opened(root)) != before


def test_what_lacks_is_absent_and_the_rest_of_the_utterance_stays(root: Path) -> None:
    loaded = _opened(root).load()
    rows = {name: row for row, name in enumerate(loaded.sample_ids)}
    lacking = {
        raw_files.SILENT: "audio",
        raw_files.FACELESS: "visual",
        raw_files.NO_FRAMES: "visual",
        raw_files.NARROW: "text",
    }
    for name, modality in lacking.items():
        assert {m for m in loaded.present if not loaded.present[m][rows[name]]} == {modality}
    assert sum(int((~has).sum()) for has in loaded.present.values()) == len(lacking)


class _Malicious:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("what", ["label", "int2name"])
def test_arrays_of_python_objects_are_refused_and_do_nothing(root: Path, tmp_path: Path, what: str) -> None:
    planted = np.array([_Malicious(f"touch {tmp_path / 'owned'}")] * 32, dtype=object)
    np.save(root / f"target/1/trn_{what}.npy", planted, allow_pickle=True)
    with pytest.raises(RawDataError, match=rf"trn_{what}\.npy is no plain array .*Python objects"):
        _opened(root).manifest()
    assert not (tmp_path / "owned").exists()


def test_labels_and_ids_of_another_shape_or_kind_are_named(root: Path) -> None:
    path = root / "target/1/val_label.npy"
    labels = np.load(path)
    for wrong in (labels[:-1], labels.argmax(axis=1), labels[:, :3]):
        np.save(path, wrong)
        with pytest.raises(RawDataError, match=r"val_label\.npy has shape .* one row of 4 for each of the 4 ids"):
            _opened(root).manifest()
    np.save(path, labels.astype("S3"))
    with pytest.raises(RawDataError, match=r"val_label\.npy holds \|S3; expected numbers"):
        _opened(root).manifest()
    path.unlink()
    with pytest.raises(RawDataError, match=r"val_label\.npy is not there"):
        _opened(root).manifest()


@pytest.mark.parametrize("swapped", [False, True])
def test_the_order_of_the_columns_is_proved_by_the_numbers_of_the_whole_corpus(root: Path, swapped: bool) -> None:
    labels = [label for label, count in COUNTS.items() for _ in range(count)]
    names = [f"Ses01F_impro01_F{number:04d}" for number in range(len(labels))]
    if swapped:
        swap = {"neutral": "sad", "sad": "neutral"}
        labels = [swap.get(label, label) for label in labels]
    for part, start, stop in (("trn", 0, 5000), ("val", 5000, 5300), ("tst", 5300, 5531)):
        raw_files.save_mmin_part(root / "target/1", part, names[start:stop], labels[start:stop])
    if swapped:
        with pytest.raises(RawDataError, match=r"are not angry, happy, neutral, sad: they have .*'neutral': 1084"):
            _opened(root).manifest()
    else:
        assert Counter(sample.label for sample in _opened(root).manifest()[0].samples) == COUNTS


def test_a_speaker_in_two_splits_is_reported(root: Path) -> None:
    name = raw_files.UTTERANCES[4][0]
    for what, row in (("label", [[0, 1, 0, 0]]), ("int2name", [[name.encode()]])):
        path = root / f"target/1/tst_{what}.npy"
        np.save(path, np.concatenate([np.load(path), row]))
        path = root / f"target/1/trn_{what}.npy"
        kept = np.load(root / "target/1/trn_int2name.npy").reshape(-1) != name.encode()
        np.save(path, np.load(path)[kept])
    _, audit = _opened(root).manifest()
    assert audit.findings["cross_split_group"] == ["Ses04F"]


def test_sound_without_its_means_and_deviations_is_refused(root: Path) -> None:
    path = root / "A/comparE_mean_std.h5"
    with h5py.File(path, "a") as file:
        file["1/std"][3] = 0
        del file["2"]
    with pytest.raises(RawDataError, match=r"fold 1: .* positive deviations of shape \(130,\)"):
        _opened(root).manifest()
    with pytest.raises(RawDataError, match=r"comparE_mean_std\.h5 has no mean and std of fold 2"):
        _opened(root, fold=2).manifest()
    path.unlink()
    with pytest.raises(RawDataError, match=r"features=mmin needs A/comparE_mean_std\.h5 below"):
        _opened(root).manifest()


def test_a_damaged_file_makes_its_modality_absent_and_is_refused(root: Path, tmp_path: Path) -> None:
    path = root / "V/denseface.h5"
    path.write_bytes(path.read_bytes()[:2000])
    dataset = _opened(root)
    with pytest.raises(InvalidDataError, match="lack visual"):
        prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache")
    with h5py.File(path, "w") as file:
        for name in (name for names in raw_files.UTTERANCES.values() for name in names):
            file[f"{name}/feat"] = np.ones((3, 342))
    with pytest.raises(InvalidDataError, match="lack visual"):
        prepare(_opened(root), compute_fingerprint(_opened(root)), tmp_path / "cache")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"split": "session_loso"}, r"iemocap\.split: 'session_loso' .* mmin, since iemocap\.features=mmin"),
        ({"features": "raw"}, r"iemocap\.features: 'raw' .* iemocap\.split=mmin has no texts"),
        (
            {"features": "gcnet", "split": "mla_random", "fold": 6},
            r"iemocap\.fold: 6 .*\[1, 5\], or iemocap\.split=mmin",
        ),
        ({"fold": 11}, r"iemocap\.fold: 11 .*\[1, 10\]"),
    ],
)
def test_settings_that_do_not_go_together_say_what_would(root: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        _opened(root, **params)
