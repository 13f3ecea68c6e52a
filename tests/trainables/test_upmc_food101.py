"""UPMC Food-101: every form of the index gives the same samples, and each its own split."""

import csv
import json
from pathlib import Path

import pytest
import raw_upmc_food101 as raw
from file_datasets import opened, samples_of

from trainables.dataset_identity import compute_fingerprint
from trainables.prepared import prepare
from trainables.preparing.building import AUDIT, BuildOptions
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

KEY = "upmc_food101"


@pytest.fixture(scope="module")
def carved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Picture -> split, as the csv files give it."""
    root = tmp_path_factory.mktemp("carved")
    raw.make_images(root)
    raw.make_titles(root, defects=False)
    return {file: sample.split for file, sample in samples_of(opened(KEY, raw, root)).items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw.make_images(tmp_path / "raw")
    return tmp_path / "raw"


def test_every_form_of_the_index_is_the_same_data(root: Path, carved: dict[str, str]) -> None:
    raw.make_titles(root, defects=False)
    fingerprints = {compute_fingerprint(opened(KEY, raw, root))}
    raw.make_titles(root, header=True, defects=False)
    fingerprints.add(compute_fingerprint(opened(KEY, raw, root)))
    raw.make_jsonl(root, carved)
    fingerprints.add(compute_fingerprint(opened(KEY, raw, root)))
    raw.make_map(root, carved)
    fingerprints.add(compute_fingerprint(opened(KEY, raw, root)))
    (root / "text.json").unlink()  # titles from the csv files
    fingerprints.add(compute_fingerprint(opened(KEY, raw, root)))
    assert len(fingerprints) == 1


def test_maps_split_goes_before_mmbts_before_a_carved_one(root: Path, carved: dict[str, str]) -> None:
    raw.make_titles(root, defects=False)
    moved = {"train": "val", "val": "train", "test": "test"}
    raw.make_jsonl(root, {file: moved[split] for file, split in carved.items()})
    assert samples_of(opened(KEY, raw, root))["sushi_1.jpg"].split == moved[carved["sushi_1.jpg"]]
    raw.make_map(root, carved)
    assert samples_of(opened(KEY, raw, root))["sushi_1.jpg"].split == carved["sushi_1.jpg"]
    mmbt = opened(KEY, raw, root, split="mmbt")
    assert samples_of(mmbt)["sushi_1.jpg"].split == moved[carved["sushi_1.jpg"]]
    assert mmbt.sizes(mmbt.manifest()[0])["val"] == (18, 5_000)


def test_a_carved_validation_part_is_a_tenth_of_each_class(carved: dict[str, str]) -> None:
    held_out = [raw.class_of(file) for file, split in carved.items() if split == "val"]
    assert sorted(held_out) == ["apple_pie", "sushi"]
    assert {file for file, split in carved.items() if split == "test"} == set(raw.split_files()["test"])


def test_titles_keep_commas_quotation_marks_and_line_breaks(root: Path) -> None:
    raw.make_titles(root)
    samples = samples_of(opened(KEY, raw, root))
    assert samples["apple_pie_0.jpg"].media["text"] == 'Grandma\'s "best", warm, apple pie'
    assert samples["apple_pie_1.jpg"].media["text"] == "Pie, in two\nlines | a blog"


def test_titles_are_read_as_csv_writers_quote_them(root: Path) -> None:
    raw.make_titles(root, defects=False)
    found = compute_fingerprint(opened(KEY, raw, root))
    for split, files in raw.split_files().items():
        with (root / "texts" / f"{split}_titles.csv").open("w", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
                [name, raw.title_of(name), raw.class_of(name)] for name in files
            )
    assert compute_fingerprint(opened(KEY, raw, root)) == found


def test_classes_are_numbered_alphabetically_whatever_class_idx_says(root: Path, carved: dict[str, str]) -> None:
    raw.make_map(root, carved)
    dataset = opened(KEY, raw, root)
    manifest, _ = dataset.manifest()
    numbers = dict(zip((s.label for s in manifest.samples), dataset.targets(manifest).tolist(), strict=True))
    assert numbers == {"apple_pie": 0, "sushi": 95}
    assert list(dataset.classes) == sorted(dataset.classes)
    assert len(dataset.classes) == 101


def test_a_picture_that_map_lists_without_a_title_is_kept(root: Path, carved: dict[str, str]) -> None:
    raw.make_map(root, carved)
    titles = json.loads((root / "text.json").read_text())
    del titles["sushi_2.jpg"]
    (root / "text.json").write_text(json.dumps(titles))
    assert samples_of(opened(KEY, raw, root))["sushi_2.jpg"].media["text"] == ""


def test_titles_that_are_not_utf8_are_read_and_reported(root: Path) -> None:
    raw.make_titles(root, defects=False)
    path = root / "texts" / "test_titles.csv"
    path.write_bytes(path.read_bytes().replace(b"How to make sushi_10 ", b"Sushi \xe0 la carte "))
    dataset = opened(KEY, raw, root)
    _, audit = dataset.manifest()
    assert samples_of(dataset)["sushi_10.jpg"].media["text"] == "Sushi à la carte at home"
    assert audit.findings["non_utf8"] == ["texts/test_titles.csv"]


def test_a_bad_line_of_jsonl_is_left_out_and_reported(root: Path, carved: dict[str, str]) -> None:
    raw.make_jsonl(root, carved)
    with (root / "train.jsonl").open("a") as file:
        file.write('{"id": 1, "label"\n["sushi"]\n{"id": 2, "label": "sushi"}\n')
    lines = list(carved.values()).count("train")
    _, audit = opened(KEY, raw, root).manifest()
    assert audit.findings["bad_row"] == [f"train.jsonl:{lines + extra}" for extra in (1, 2, 3)]


def test_a_picture_of_training_and_test_is_refused(root: Path) -> None:
    raw.make_titles(root, defects=False)
    with (root / "texts" / "test_titles.csv").open("a") as file:
        file.write("sushi_1.jpg,again,sushi\n")
    with pytest.raises(InvalidDataError, match=r"more than once, for instance 'sushi_1\.jpg'"):
        opened(KEY, raw, root).manifest()


def test_equal_content_in_two_splits_is_reported_and_refused(root: Path, tmp_path: Path) -> None:
    raw.make_titles(root, defects=False)
    path = root / "texts" / "test_titles.csv"
    path.write_text(path.read_text().replace(raw.title_of("sushi_10.jpg"), raw.title_of("sushi_1.jpg")))
    images = root / "images"
    (images / "test/sushi/sushi_10.jpg").write_bytes((images / "train/sushi/sushi_1.jpg").read_bytes())
    dataset = opened(KEY, raw, root)
    fingerprint = compute_fingerprint(dataset)
    with pytest.raises(InvalidDataError, match=r"equal one of another split.*sushi_10\.jpg"):
        prepare(dataset, fingerprint, tmp_path / "cache", BuildOptions(max_missing=1.0))
    found = [json.loads(path.read_text()) for path in (tmp_path / "cache").rglob(AUDIT)]
    assert "sushi_10.jpg" in found[0]["findings"]["cross_split_dup"]["where"]


def test_pictures_without_any_index_say_which_are_known(root: Path) -> None:
    with pytest.raises(RawDataError, match=r"neither split\.json nor train\.jsonl.* nor texts/train_titles\.csv"):
        opened(KEY, raw, root).manifest()
    raw.make_titles(root)
    with pytest.raises(RawDataError, match=r"neither split\.json$"):
        opened(KEY, raw, root, split="map").manifest()
