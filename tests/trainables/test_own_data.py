"""A user's own data without a loader: manifests and saved folders, their defects, and names that last."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_media import image_bytes, wav_bytes
from saved_datasets import AUDIO, FLOATS, IMAGE, TEXT, WHOLE, class_label, list_of, save

from orchestrator.cli import main
from orchestrator.sweep import Sweep
from search_spaces import Grid
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from trainables.dataset_catalog import DATASETS
from trainables.dataset_identity import build_dataset, compute_fingerprint
from trainables.own_data import register_manifest, register_saved_dataset
from trainables.prepared import prepare
from trainables.preparing.building import AUDIT, BuildOptions
from trainables.preparing.registered import remember
from trainables.preparing.roots import remember_root
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

HEADER = ["sample_id", "split", "label", "group", "image:poster", "text", "audio:speech", "vector:scores", "year"]
SMALL = {"image_size": 8, "tokenizer": "words", "tokens": 6, "bands": 8, "frames": 16}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MMPT_DATA", raising=False)


def _rows() -> list[list[str]]:
    splits = ["train"] * 12 + ["validation"] * 4 + ["test"] * 4
    return [
        [
            f"s{i}",
            split,
            "ab"[i % 2],
            f"g{split}{i // 2}",
            f"./p/{i}.png",
            f'said "{i}", twice',
            f"w/{i}.wav",
            f"v/{i}.npy",
            "7",
        ]
        for i, split in enumerate(splits)
    ]


def _files(root: Path) -> None:
    for folder in "pwv":
        (root / folder).mkdir(parents=True)
    for i in range(20):
        (root / "p" / f"{i}.png").write_bytes(image_bytes(i, "PNG", width=12, height=10))
        (root / "w" / f"{i}.wav").write_bytes(wav_bytes(i, seconds=0.2))
        np.save(root / "v" / f"{i}.npy", np.full((2, 3), i, np.float32))


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([header, *rows])
    path.write_bytes(text.getvalue().encode(encoding))


def _opened(key: str, **params: Any) -> Any:
    cls = DATASETS.get(key)
    names = {"image_size", "tokenizer", "tokens", "bands", "frames"} & set(cls.Params.__dataclass_fields__)
    chosen = {**{name: SMALL[name] for name in names}, **params}
    return build_dataset(key, chosen)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _files(tmp_path / "films")
    _write(tmp_path / "films" / "films.csv", HEADER, _rows())
    return tmp_path / "films"


def test_a_manifest_becomes_a_data_set_with_its_modalities_and_classes(root: Path, tmp_path: Path) -> None:
    assert register_manifest("my_films", root, "films.csv") == "my_films"
    cls = DATASETS.get("my_films")
    assert cls is DATASETS.get("my_films")
    assert cls.modalities() == ("poster", "scores", "speech", "text")
    dataset = _opened("my_films")
    info = dataset.info()
    assert {name: one.kind for name, one in info.inputs.items()} == {
        "poster": "image",
        "scores": "vector",
        "speech": "audio",
        "text": "text",
    }
    assert tuple(info.class_names) == ("a", "b")
    assert info.inputs["scores"].shape == (3,)
    prepared = prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache")
    assert [int((prepared.splits == split).sum()) for split in ("train", "val", "test")] == [12, 4, 4]
    row = list(prepared.sample_ids).index("s5")
    assert prepared.targets[row] == 1
    np.testing.assert_array_equal(prepared.inputs["scores"][row], [5, 5, 5])
    assert all(prepared.present[name].all() for name in info.modalities)


@pytest.mark.parametrize("form", ["films.tsv", "films.parquet", "elsewhere"])
def test_the_form_of_a_manifest_does_not_matter(root: Path, tmp_path: Path, form: str) -> None:
    first = compute_fingerprint(_opened(register_manifest("my_films", root, "films.csv")))
    path = tmp_path / "films.csv" if form == "elsewhere" else root / form
    if form == "films.parquet":
        columns = {name: [row[i] for row in _rows()] for i, name in enumerate(HEADER)}
        pq.write_table(pa.table(columns), path)
    else:
        _write(path, HEADER, _rows())
    assert compute_fingerprint(_opened(register_manifest("my_films", root, path))) == first


def test_a_changed_manifest_outside_the_root_is_noticed(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    _write(path, HEADER, _rows())
    register_manifest("my_films", root, path)
    first = compute_fingerprint(_opened("my_films"))
    rows = _rows()
    rows[0][5] = "something else"
    _write(path, HEADER, rows)
    assert compute_fingerprint(_opened("my_films")) != first
    rows[0][2] = "c"
    _write(path, HEADER, rows)
    with pytest.raises(RawDataError, match=r"registered with other classes: \('a', 'b'\), now .*--manifest"):
        compute_fingerprint(_opened("my_films"))


def test_what_a_sample_lacks_is_absent_and_what_is_broken_is_audited(root: Path, tmp_path: Path) -> None:
    rows = _rows()
    rows[0][4] = ""
    rows[1][5] = ""
    rows[2][5] = "   "
    rows[3][4] = "p/none.png"
    rows[4][4] = "../films.csv"
    rows[5][2] = ""
    rows[6][4:8] = ["", "", "", ""]
    np.save(root / "v" / "7.npy", np.zeros(4, np.float32))
    _write(root / "films.csv", HEADER, rows)
    dataset = _opened(register_manifest("my_films", root, "films.csv"))
    with pytest.raises(InvalidDataError, match=r"2 of 17 samples lack poster .*--max-missing 0\.118"):
        prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(max_missing=0.1))
    fingerprint = compute_fingerprint(dataset)
    prepared = prepare(dataset, fingerprint, tmp_path / "cache", BuildOptions(max_missing=0.2))
    audit = json.loads((tmp_path / "cache" / fingerprint / AUDIT).read_text())
    assert {code: about["where"] for code, about in audit["findings"].items()} == {
        "empty_text": ["s2"],
        "missing_file": ["../films.csv", "p/none.png"],
        "nothing_left": ["s6"],
        "unknown_label": ["s5"],
        "unreadable_array": ["v/7.npy"],
    }
    lacking = {name: set(prepared.sample_ids[~has]) for name, has in prepared.present.items()}
    assert lacking == {"poster": {"s0", "s3", "s4"}, "text": {"s1", "s2"}, "scores": {"s7"}, "speech": set()}


def test_an_id_twice_in_a_split_counts_once(root: Path) -> None:
    _write(root / "films.csv", HEADER, _cell(1, 0, "s0"))
    manifest, audit = _opened(register_manifest("my_films", root, "films.csv")).manifest()
    assert audit.findings == {"dup_id": ["s0"]}
    assert len(manifest.samples) == 19


def test_natural_absence_is_no_defect(root: Path, tmp_path: Path) -> None:
    rows = _rows()
    for row in rows[::3]:
        row[4] = ""
    _write(root / "films.csv", HEADER, rows)
    dataset = _opened(register_manifest("my_films", root, "films.csv"))
    prepared = prepare(dataset, compute_fingerprint(dataset), tmp_path / "cache", BuildOptions(max_missing=0.0))
    assert prepared.present["poster"].sum() == 13


def test_several_labels_and_lists_of_numbers(tmp_path: Path) -> None:
    count = 30
    table = pa.table(
        {
            "sample_id": list(range(count)),
            "split": ["train"] * 20 + ["test"] * 10,
            "labels": [["10", "2"] if i % 3 == 0 else [] if i % 3 == 1 else ["2"] for i in range(count)],
            "vector:x": [None if i == 4 else [float(i), 1.0] for i in range(count)],
            "text:y": [f"text {i}" for i in range(count)],
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    dataset = _opened(register_manifest("numbers", tmp_path, "m.parquet"))
    assert dataset.classes == ("2", "10")
    loaded = dataset.load()
    rows = {name: row for row, name in enumerate(loaded.sample_ids)}
    assert loaded.targets[[rows["0"], rows["1"], rows["2"]]].tolist() == [[1, 1], [0, 0], [1, 0]]
    np.testing.assert_array_equal(loaded.inputs["x"][rows["7"]], [7, 1])
    assert not loaded.present["x"][rows["4"]]
    assert loaded.splits.count("val") == 2
    again = _opened("numbers").load()
    assert [n for n, s in zip(again.sample_ids, again.splits, strict=True) if s == "val"] == [
        n for n, s in zip(loaded.sample_ids, loaded.splits, strict=True) if s == "val"
    ]


def test_validation_is_drawn_by_group_where_there_are_groups(root: Path) -> None:
    rows = [[*row[:1], "train" if row[1] == "validation" else row[1], *row[2:]] for row in _rows()]
    _write(root / "films.csv", HEADER, rows)
    manifest, _ = _opened(register_manifest("my_films", root, "films.csv")).manifest()
    groups = {split: {s.group for s in manifest.samples if s.split == split} for split in ("train", "val", "test")}
    assert groups["val"]
    assert not groups["val"] & groups["train"]


def test_a_manifest_in_another_encoding_is_read_and_reported(root: Path) -> None:
    rows = _rows()
    rows[0][5] = "…等等"
    _write(root / "films.csv", HEADER, rows, "gb18030")
    manifest, audit = _opened(register_manifest("my_films", root, "films.csv")).manifest()
    assert audit.findings == {"non_utf8": ["films.csv"]}
    assert next(s for s in manifest.samples if s.sample_id == "s0").media["text"] == "…等等"


def _edit(place: int, value: str) -> list[str]:
    return [value if i == place else name for i, name in enumerate(HEADER)]


BAD_HEADERS = [
    (_edit(0, "id"), RawDataError, "no column 'sample_id'; its columns are id, split"),
    (_edit(2, "genre"), RawDataError, "no column 'label'"),
    (_edit(4, "imge:poster"), UnknownNameError, "unknown kind of modality .* 'imge'; did you mean 'image'"),
    (_edit(4, "image:The Poster"), InvalidValueError, "a modality in snake_case"),
    (_edit(4, "image:joint"), InvalidValueError, "another name"),
    (_edit(4, "image:text"), RawDataError, "names a modality twice"),
    (_edit(1, "sample_id"), RawDataError, "two columns of one name"),
    ([*HEADER[:4], "a", "b", "c", "d", "e"], RawDataError, "names no modality"),
]


@pytest.mark.parametrize(("header", "error", "says"), BAD_HEADERS, ids=[says for _, _, says in BAD_HEADERS])
def test_a_wrong_header_is_explained(root: Path, header: list[str], error: type[MmptError], says: str) -> None:
    _write(root / "films.csv", header, _rows())
    with pytest.raises(error, match=says):
        register_manifest("my_films", root, "films.csv")
    assert "my_films" not in DATASETS


def _cell(row: int, place: int, value: str) -> list[list[str]]:
    rows = _rows()
    rows[row][place] = value
    return rows


BAD_ROWS = [
    (_cell(0, 1, "tran"), UnknownNameError, "unknown split of sample s0 'tran'; did you mean 'train'"),
    (_cell(19, 0, "s0"), InvalidDataError, "1 sample ids occur more than once, for instance 's0'"),
    (_cell(0, 2, "a|b"), RawDataError, "name the column 'labels'"),
    (_cell(0, 3, "gtest8"), InvalidDataError, "groups are in both train and test"),
    ([[*row[:2], "a", *row[3:]] for row in _rows()], RawDataError, "has 1 classes"),
    ([*_rows(), ["s99", "train"]], RawDataError, "line 22: 2 cells, the header has 9"),
    ([], RawDataError, "has no rows"),
    (_rows()[:16], InvalidDataError, "no sample in split test"),
]


@pytest.mark.parametrize(("rows", "error", "says"), BAD_ROWS, ids=[says for _, _, says in BAD_ROWS])
def test_wrong_rows_are_explained(root: Path, rows: list[list[str]], error: type[MmptError], says: str) -> None:
    _write(root / "films.csv", HEADER, rows)
    with pytest.raises(error, match=says):
        register_manifest("my_films", root, "films.csv")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "cannot be read"),
        ("m.parquet", b"PAR1 no", "is no Parquet file"),
        ("m.xlsx", b"x", r"ends in \.csv, \.tsv or \.parquet"),
        ("m.csv", b"<!DOCTYPE html><p>not found", "a web page"),
        ("m.csv", b"version https://git-lfs.github.com/spec/v1", "a Git LFS stub"),
    ],
)
def test_a_file_that_is_no_manifest_is_explained(root: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (root / name).write_bytes(content)
    with pytest.raises(RawDataError, match=says):
        register_manifest("my_films", root, name)


@pytest.mark.parametrize("name", ["My-Films", "films2_", "a/b", "mm_imdb", "naive", "smoke", "encoder", "x_2"])
def test_names_that_cannot_be_used(root: Path, name: str) -> None:
    with pytest.raises(InvalidValueError, match="data set"):
        register_manifest(name, root, "films.csv")


def test_another_process_finds_it_and_a_damaged_memory_says_so(root: Path, tmp_path: Path) -> None:
    register_manifest("my_films", root, "films.csv")
    code = "from trainables.dataset_catalog import DATASETS as D; print(D.get('my_films').classes, 'my_films' in D)"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout
    assert said.split("\n")[0] == "('a', 'b') True"
    assert "my_films" not in DATASETS.shipped()
    (tmp_path / "cache" / "own" / "my_films.json").write_text("{}")
    with pytest.raises(MmptError, match=r"my_films\.json is damaged; register my_films again"):
        DATASETS.get("my_films")
    with pytest.raises(UnknownNameError, match="did you mean 'my_films'"):
        DATASETS.get("my_film")


def test_another_root_can_be_told_later(root: Path, tmp_path: Path) -> None:
    register_manifest("my_films", root, "films.csv")
    first = compute_fingerprint(_opened("my_films"))
    root.rename(tmp_path / "moved")
    remember_root("my_films", tmp_path / "moved")
    assert compute_fingerprint(_opened("my_films")) == first


FEATURES = {"picture": IMAGE, "speech": AUDIO, "caption": TEXT, "embedding": FLOATS, "label": class_label("cat", "dog")}


def _saved_rows(count: int, offset: int) -> list[dict[str, Any]]:
    return [
        {
            "picture": {"bytes": image_bytes(offset + i, "PNG", width=9, height=9), "path": "x.png"},
            "speech": {"bytes": wav_bytes(offset + i, seconds=0.2), "path": None},
            "caption": f"a caption {offset + i}",
            "embedding": [float(offset + i), 0.5],
            "label": i % 2,
        }
        for i in range(count)
    ]


def test_a_saved_folder_becomes_a_data_set(tmp_path: Path) -> None:
    train = _saved_rows(24, 0)
    train[2]["picture"] = None
    train[3]["picture"]["bytes"] = b"no image"
    train[5]["label"] = -1
    save(tmp_path / "pets", FEATURES, {"train": train, "validation": _saved_rows(4, 50), "test": _saved_rows(4, 70)})
    key = register_saved_dataset("pets", tmp_path / "pets")
    dataset = _opened(key)
    assert dataset.modalities() == ("caption", "embedding", "picture", "speech")
    assert dataset.classes == ("cat", "dog")
    fingerprint = compute_fingerprint(dataset)
    prepared = prepare(dataset, fingerprint, tmp_path / "cache", BuildOptions(max_missing=0.1))
    rows = {name: row for row, name in enumerate(prepared.sample_ids)}
    assert set(prepared.sample_ids[~prepared.present["picture"]]) == {"train-0000002", "train-0000003"}
    np.testing.assert_array_equal(prepared.inputs["embedding"][rows["train-0000013"]], [13, 0.5])
    assert prepared.targets[rows["train-0000013"]] == 1
    audit = json.loads((tmp_path / "cache" / fingerprint / AUDIT).read_text())
    assert {code: about["where"] for code, about in audit["findings"].items()} == {
        "truncated_image": ["train-0000003"],
        "unknown_label": ["train-0000005"],
    }
    loaded = dataset.load()
    np.testing.assert_array_equal(loaded.inputs["picture"], prepared.inputs["picture"])


@pytest.mark.parametrize("form", ["List", "Sequence"])
def test_lists_of_class_labels_are_several_labels(tmp_path: Path, form: str) -> None:
    features = {"caption": TEXT, "tags": list_of(class_label("x", "y"), form), "sample_id": TEXT, "year": WHOLE}
    rows = [{"caption": f"c{i}", "tags": [[0], [0, 1], []][i % 3], "sample_id": f"id{i}", "year": i} for i in range(30)]
    save(tmp_path / "tags", features, {"train": rows[:20], "test": rows[20:]})
    dataset = _opened(register_saved_dataset("tags", tmp_path / "tags"))
    assert dataset.multi_label
    assert dataset.modalities() == ("caption",)
    loaded = dataset.load()
    assert loaded.targets[list(loaded.sample_ids).index("id1")].tolist() == [1, 1]
    assert loaded.splits.count("val") == 2


def test_columns_can_be_chosen_and_labels_may_be_texts(tmp_path: Path) -> None:
    features = {"title": TEXT, "body": TEXT, "label": TEXT}
    rows = [{"title": f"t{i}", "body": f"b{i}", "label": "yes" if i % 2 else "no"} for i in range(40)]
    save(tmp_path / "news", features, {"train": rows[:30], "test": rows[30:]})
    dataset = _opened(register_saved_dataset("news", tmp_path / "news", ["body"]))
    assert (dataset.modalities(), dataset.classes) == (("body",), ("no", "yes"))
    with pytest.raises(UnknownNameError, match=r"unknown column of .* 'boddy'; did you mean 'body'"):
        register_saved_dataset("news", tmp_path / "news", ["boddy"])


def test_a_folder_that_was_not_saved_like_that_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RawDataError, match=r"dataset_dict\.json is not there; expected a folder that DatasetDict"):
        register_saved_dataset("pets", tmp_path)
    save(tmp_path / "pets", {"caption": TEXT}, {"train": [{"caption": "a"}] * 2, "test": [{"caption": "b"}]})
    with pytest.raises(RawDataError, match="no column label or labels"):
        register_saved_dataset("pets", tmp_path / "pets")
    save(tmp_path / "cut", FEATURES, {"train": _saved_rows(4, 0), "test": _saved_rows(2, 9)})
    (tmp_path / "cut" / "test" / "data-00000-of-00001.arrow").write_bytes(b"cut")
    with pytest.raises(RawDataError, match="cannot be read as an Arrow table"):
        register_saved_dataset("cut", tmp_path / "cut")


def test_a_sweep_trains_on_it_and_takes_it_along(root: Path, tmp_path: Path) -> None:
    register_manifest("my_films", root, "films.csv")
    axes = {f"my_films.{name}": value for name, value in {**SMALL, "frames": 32}.items()}
    encoders = {"encoder.poster": "mlp_tiny", "encoder.text": "bert_tiny", "encoder.speech": "mlp_tiny"}
    grid = Grid({"dataset": "my_films", "method": "naive", "epochs": 1, **axes, **encoders})
    sweep = Sweep(grid, store=str(tmp_path / "store"), tracking="none")
    assert sweep._extensions["datasets"] == {"my_films": DATASETS.get("my_films")}
    assert len(sweep.run(inline=True).done) == 1


def test_a_remembered_name_never_hides_a_built_in_one(root: Path) -> None:
    register_manifest("my_films", root, "films.csv")
    remember("mm_imdb", DATASETS.get("my_films").record)
    assert DATASETS.get("mm_imdb").__name__ == "MmImdb"


def _mmpt(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(str(ended.value.code))


def test_the_command_line_registers_prepares_and_shows(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    assert _mmpt("prepare", "my_films", "--manifest", str(root / "films.csv"), *small) == 0
    assert _mmpt("show", "my_films") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "20 samples" in said
    assert "train 12, val 4, test 4" in said
    assert "modalities: poster, scores, speech, text" in said
    features = {**FEATURES, "url": TEXT}
    rows = [{**row, "url": "https"} for row in _saved_rows(30, 0)]
    save(tmp_path / "pets", features, {"train": rows[:24], "test": rows[24:]})
    arguments = ["--modality", "caption", "--modality", "embedding", "--set", "tokenizer=words", "--set", "tokens=6"]
    assert _mmpt("prepare", "pets", "--root", str(tmp_path / "pets"), *arguments) == 0
    assert DATASETS.get("pets").modalities() == ("caption", "embedding")
    assert _mmpt("prepare", "petz", "--root", str(tmp_path)) == 2
    assert "did you mean 'pets'" in capsys.readouterr().err


@pytest.mark.slow
def test_workers_of_a_cluster_get_the_class_with_the_sweep(tmp_path: Path) -> None:
    rows = [{"caption": f"c{i}", "embedding": [float(i), 0.5], "label": i % 2} for i in range(40)]
    features = {"caption": TEXT, "embedding": FLOATS, "label": class_label("cat", "dog")}
    save(tmp_path / "pets", features, {"train": rows[:30], "test": rows[30:]})
    register_saved_dataset("pets", tmp_path / "pets")
    axes = {"pets.tokenizer": "words", "pets.tokens": 6, "encoder.caption": "bert_tiny"}
    grid = Grid({"dataset": "pets", "method": "naive", "epochs": 1, **axes})
    outcome = Sweep(grid, store=str(tmp_path / "store"), tracking="none").run()
    assert not outcome.failed
    assert len(outcome.trained) == 1
