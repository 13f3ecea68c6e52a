"""AVE: records, videos in two splits, the lists of row numbers."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import raw_ave
from opened import fingerprint, indexed, opened, samples
from raw_ave import BARK, RECORDS, SPEECH, TWIN
from raw_videos import level, video_bytes

from trainables.prepared import prepare
from trainables.preparing.building import BuildOptions
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

KEY = "ave"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw_ave.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def test_classes_are_in_the_official_order_with_their_commas(root: Path) -> None:
    classes = opened(KEY, root).classes
    assert len(classes) == 28
    assert classes[:3] == ("Church bell", SPEECH, BARK)
    assert {sample.label for sample in samples(KEY, root).values()} == {SPEECH, BARK}


def test_a_header_changes_nothing(root: Path) -> None:
    before = fingerprint(KEY, root)
    path = root / "trainSet.txt"
    path.write_text(path.read_text().partition("\n")[2])
    assert fingerprint(KEY, root) == before


def test_a_video_of_two_records_is_two_samples_of_one_group(root: Path) -> None:
    found = samples(KEY, root)
    assert found[f"{TWIN} {BARK}"].split == "test"
    assert found[f"{TWIN} {SPEECH}"].split == "train"
    assert {found[f"{TWIN} {label}"].group for label in (BARK, SPEECH)} == {TWIN}


def test_the_train_record_of_a_test_video_can_be_left_out(root: Path) -> None:
    found = samples(KEY, root, dedup="drop_test_twin")
    assert f"{TWIN} {SPEECH}" not in found
    assert f"{TWIN} {BARK}" in found
    assert len(found) == len(samples(KEY, root)) - 1


def test_many_more_twins_than_are_known_are_refused(root: Path, tmp_path: Path) -> None:
    extra = [raw_ave.line((SPEECH, record[1], 0, 10)) for record in RECORDS["test"][2:9:2]]
    with (root / "trainSet.txt").open("a") as file:
        file.write("\n".join(extra))
    dataset = opened(KEY, root, **raw_ave.PARAMS)
    with pytest.raises(InvalidDataError, match="equal one of another split"):
        prepare(dataset, fingerprint(KEY, root, **raw_ave.PARAMS), tmp_path / "c", BuildOptions(max_missing=1.0))


def _as_orders(root: Path) -> None:
    """Replace the lists by row numbers into Annotations.txt."""
    lines = ["Category&VideoID&Quality&StartTime&EndTime"]
    for split, records in RECORDS.items():
        (root / f"{split}Set.txt").unlink()
        with h5py.File(root / f"{split}_order.h5", "w") as file:
            file["order"] = np.arange(len(lines) - 1, len(lines) - 1 + len(records))
        lines += [raw_ave.line(record) for record in records]
    (root / "Annotations.txt").write_text("\n".join(lines))


def test_row_numbers_into_all_records_give_the_same(root: Path) -> None:
    for split, odd in (("val", "no record at all"), ("test", "Yodelling&yodelling12&good&0&10")):
        path = root / f"{split}Set.txt"
        path.write_text(path.read_text().replace(odd, ""))
    before = fingerprint(KEY, root)
    _as_orders(root)
    assert fingerprint(KEY, root) == before
    for outside in (1000, -1):
        with h5py.File(root / "test_order.h5", "a") as file:
            file["order"][-1] = outside
        with pytest.raises(RawDataError, match=f"names record {outside}"):
            indexed(KEY, root)
    (root / "test_order.h5").write_bytes(b"\x89HDF")
    with pytest.raises(RawDataError, match=r"test_order\.h5 has no row numbers"):
        indexed(KEY, root)


def test_without_any_list_the_missing_one_is_named(root: Path) -> None:
    (root / "valSet.txt").unlink()
    with pytest.raises(RawDataError, match=r"neither valSet\.txt nor val_order\.h5"):
        indexed(KEY, root)


def test_the_videos_of_the_archive_are_read(root: Path) -> None:
    for folder in ("audio", "Image-01-FPS"):
        shutil.rmtree(root / folder)
    (root / "AVE").mkdir()
    names = sorted({record[1] for records in RECORDS.values() for record in records})
    for number, video in enumerate(names):
        data = b"" if number == 1 else video_bytes(3, sound=number != 0)
        (root / "AVE" / f"{video}.mp4").write_bytes(data)
    dataset = opened(KEY, root, **{**raw_ave.PARAMS, "video_frames": 2})
    manifest, _ = dataset.manifest()
    assert all(
        sample.media["video"] == f"AVE/{sample.group}.mp4" == sample.media["audio"] for sample in manifest.samples
    )
    raw = dataset.load()
    groups = np.array(raw.groups)
    assert raw.inputs["video"].shape[1:] == (2, 3, 16, 16)
    np.testing.assert_array_equal(raw.present["audio"], ~np.isin(groups, names[:2]), "one is mute, one is empty")
    np.testing.assert_array_equal(raw.present["video"], groups != names[1])
    seen = raw.inputs["video"][groups == names[2]][0]
    np.testing.assert_allclose(seen.mean(axis=(1, 2, 3)), [level(0), level(1)], atol=3)
