"""MM-IMDb's HDF5 file: written here as its authors' program writes it, and read as the films that it is made of."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import raw_mm_imdb as raw
from file_datasets import opened, samples_of
from raw_media import pixels

from search_spaces.errors import InvalidValueError
from trainables.datasets._mm_imdb_hdf5 import HDF5, VOCABULARY, PosterReader
from trainables.datasets.mm_imdb import MmImdb
from trainables.preparing.tree import RawDataError

KEY = "mm_imdb"
WORDS = ["_UNK_", "a", "dog", "cat", "runs"]
PLOTS = [[1, 2, 4], [1, 3], [0], [2, 2, 2, 1]]
GENRES = ["Comedy", "Drama", "Film-Noir"]
HAS = [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]]
BGR_MEANS = np.float32([103.939, 116.779, 123.68])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "hdf5"
    folder.mkdir()
    np.save(folder / VOCABULARY, {"ix_to_word": dict(enumerate(WORDS)), "vocab_size": len(WORDS)})  # type: ignore[arg-type]
    with h5py.File(folder / HDF5, "w") as file:
        covers = np.stack([_cover(row) for row in range(4)])
        file.create_dataset("images", (4, 3, 256, 160), dtype="int32")[...] = covers
        file["sequences"] = np.array([np.array(plot, np.int32) for plot in PLOTS], dtype=object).astype(
            h5py.vlen_dtype(np.int32)
        )
        file["imdb_ids"] = np.array([b"0000001", b"0000002", b"0000003", b"0000004"])
        file["genres"] = np.array(HAS, np.int32)
        file["genres"].attrs["target_names"] = json.dumps(GENRES)
        kind = [("split", "S5"), ("source", "S12"), ("start", np.int64), ("stop", np.int64)]
        told = [("train", "images", 0, 2), ("dev", "images", 2, 3), ("test", "images", 3, 4)]
        file.attrs["split"] = np.array(told, dtype=kind)
    return folder


def _cover(row: int) -> np.ndarray:
    rgb = np.asarray(pixels(row, 160, 256), np.float32)
    return (rgb[..., ::-1] - BGR_MEANS).transpose(2, 0, 1)


def test_rows_are_films_with_their_words_genres_and_split(root: Path) -> None:
    samples = samples_of(opened(KEY, raw, root))
    assert {key: sample.split for key, sample in samples.items()} == {
        "0000001": "train",
        "0000002": "train",
        "0000003": "val",
        "0000004": "test",
    }
    assert [sample.media["text"] for sample in samples.values()] == ["a dog runs", "a cat", "_UNK_", "dog dog dog a"]
    assert [list(sample.label) for sample in samples.values()] == [["Comedy", "Film-Noir"], ["Drama"], [], GENRES[:2]]


def test_posters_are_the_pixels_that_were_stored(root: Path) -> None:
    dataset = opened(KEY, raw, root)
    assert isinstance(dataset, MmImdb)
    reader = PosterReader(MmImdb.Params(image_size=256))
    for row, read in enumerate(reader.read([(HDF5, row) for row in range(4)], root)):
        assert read.values is not None
        expected = np.asarray(pixels(row, 160, 256).resize((256, 256), 2), np.int64).transpose(2, 0, 1)
        difference = np.abs(read.values.astype(np.int64) - expected)
        assert difference.max() <= 1, "stored values of one grey level per channel are ambiguous"
        assert (difference > 0).mean() < 0.05
    loaded = dataset.load()
    assert loaded.inputs["image"].shape == (4, 3, 32, 32)
    assert loaded.present["image"].all()


@pytest.mark.parametrize("params", [{"plot": "first"}, {"plot": "all"}, {"mmbt_filter": True}])
def test_what_the_file_does_not_have_is_refused(root: Path, params: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match=r"multimodal_imdb\.hdf5 (has no other|does not say)"):
        opened(KEY, raw, root, **params).manifest()


def test_a_missing_or_malicious_vocabulary_is_said(root: Path) -> None:
    class Bad:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit",)

    np.save(root / VOCABULARY, np.array(Bad(), dtype=object))
    with pytest.raises(RawDataError, match=r"metadata\.npy is not the vocabulary"):
        opened(KEY, raw, root).manifest()
    (root / VOCABULARY).unlink()
    with pytest.raises(RawDataError, match=r"metadata\.npy is not there"):
        opened(KEY, raw, root).manifest()


def test_a_damaged_file_is_said(root: Path) -> None:
    (root / HDF5).write_bytes((root / HDF5).read_bytes()[:1000])
    with pytest.raises(RawDataError, match=r"cannot be read as MM-IMDb's HDF5 file"):
        opened(KEY, raw, root).manifest()
