"""GlyphNames: its sizes, its splits without leaks, its words, and that BERT, ViT and ViLT run on it."""

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.features
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces import TrialSpec
from trainables.api import Dataset, RawData
from trainables.datasets import _glyph_names_make_glyphs as generator
from trainables.datasets._glyph_names_texts import GLYPHS, LONGEST, SCRIPTS, base_name, letters, vocabulary, words
from trainables.raw_data_checks import check_raw_data
from trainables.resolve import open_dataset, resolve

FREETYPE = "2.14.3"  # that rendered the stored glyphs
SIZES = {"latin": 400, "greek": 342, "cyrillic": 318, "arabic": 400, "canadian": 400}
SIZES |= {"georgian": 119, "armenian": 83, "hebrew": 74}


def _open(**params: Any) -> tuple[Dataset, str]:
    return open_dataset(TrialSpec(dataset="glyph_names", method="naive", dataset_params=params))


@pytest.fixture(scope="module")
def raw() -> RawData:
    return _open()[0].load()


@pytest.fixture(scope="module")
def stored() -> pa.Table:
    return pq.read_table(GLYPHS)


def test_sizes_shapes_and_rules(raw: RawData) -> None:
    dataset = _open()[0]
    check_raw_data(raw, dataset.info())
    assert Counter(raw.splits) == {"train": 3648, "val": 284, "test": 592}
    per_script = Counter(letter.script for letter in letters(dataset.params))
    assert {SCRIPTS[script]: count for script, count in per_script.items()} == SIZES
    assert raw.inputs["image"].shape[1:] == (1, 24, 24)
    assert raw.inputs["text"].shape[1:] == (LONGEST,)


def test_no_base_name_and_no_letter_in_two_splits(raw: RawData) -> None:
    for what in (raw.groups, [name.partition("-")[0] for name in raw.sample_ids]):
        seen = {
            split: {item for item, of in zip(what, raw.splits, strict=True) if of == split} for split in set(raw.splits)
        }
        assert sum(map(len, seen.values())) == len(set().union(*seen.values()))


def test_every_script_is_in_every_split(raw: RawData) -> None:
    for split in ("train", "val", "test"):
        assert set(raw.targets[np.array(raw.splits) == split]) == set(range(len(SCRIPTS)))


def test_only_train_letters_come_in_several_fonts(raw: RawData) -> None:
    fonts = Counter(name.partition("-")[0] for name in raw.sample_ids)
    train = {name.partition("-")[0] for name, split in zip(raw.sample_ids, raw.splits, strict=True) if split == "train"}
    assert max(fonts.values()) == 3
    assert all(count == 1 for name, count in fonts.items() if name not in train)
    assert Counter(_open(fonts=1)[0].load().splits)["train"] == len(train)


def test_images_are_standardised_by_the_train_split(raw: RawData) -> None:
    train = raw.inputs["image"][np.array(raw.splits) == "train"]
    assert train.mean() == pytest.approx(0, abs=1e-3)
    assert train.std() == pytest.approx(1, abs=1e-3)


def test_equal_parameters_equal_arrays_other_splits_other_fingerprint(raw: RawData) -> None:
    dataset, fingerprint = _open(cap=400)
    again = dataset.load()
    assert fingerprint == _open()[1] != _open(split_seed=1)[1]
    assert again.sample_ids == raw.sample_ids
    for name in ("image", "text"):
        np.testing.assert_array_equal(again.inputs[name], raw.inputs[name])
    assert _open(split_seed=1)[0].load().groups != raw.groups


# -- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "base"),
    [
        ("LATIN SMALL LETTER A WITH GRAVE", "small letter a with grave", "a"),
        ("GREEK CAPITAL LETTER OMEGA WITH PSILI", "capital letter omega with psili", "omega"),
        ("CANADIAN SYLLABICS WEST-CREE WAA", "west-cree waa", "west-cree waa"),
        ("ARABIC LETTER ALEF FINAL FORM", "letter alef final form", "alef"),
    ],
)
def test_texts_do_not_name_the_script(name: str, text: str, base: str) -> None:
    assert " ".join(words(name)) == text
    assert base_name(words(name)) == base


def test_words_are_known_from_two_train_letters_on(raw: RawData) -> None:
    dataset = _open()[0]
    found = letters(dataset.params)
    ids = vocabulary(found)
    train = Counter(word for letter in found if letter.split == "train" for word in set(letter.words))
    assert set(ids) == {word for word, times in train.items() if times > 1}
    assert sorted(ids.values()) == list(range(2, dataset.info().inputs["text"].vocabulary_size or 0))
    unknown = {split: raw.inputs["text"][np.array(raw.splits) == split] for split in ("train", "test")}
    shares = {split: float((ids == 1).sum() / (ids > 0).sum()) for split, ids in unknown.items()}
    assert 0.03 < shares["train"] < shares["test"] < 0.25


def test_texts_and_pictures_are_ambiguous_across_scripts(raw: RawData) -> None:
    for name, least in (("text", 30), ("image", 50)):
        scripts: dict[bytes, set[int]] = {}
        for row, target in zip(raw.inputs[name], raw.targets, strict=True):
            scripts.setdefault(row.tobytes(), set()).add(int(target))
        assert sum(len(found) > 1 for found in scripts.values()) > least


def test_multi_label_asks_for_script_case_and_diacritic() -> None:
    dataset, _ = _open(labels="multi")
    raw, info = dataset.load(), dataset.info()
    check_raw_data(raw, info)
    assert info.class_names == (*SCRIPTS, "uppercase", "lowercase", "diacritic")
    assert (raw.targets[:, :8].sum(axis=1) == 1).all()
    by_id = dict(zip(raw.sample_ids, raw.targets.tolist(), strict=True))
    assert by_id["U+1F08-Sans"][8:] == [1, 0, 1]
    said = {letter.code_point: letter.words for letter in letters(dataset.params)}
    cases = [letter for letter in letters(_open()[0].params) if "capital" in letter.words]
    kept = [letter for letter in cases if "capital" in said[letter.code_point]]
    assert 0.4 < len(kept) / len(cases) < 0.6
    everything, _ = _open(labels="multi", bare=1.0)
    assert not {"capital", "small", "with"} & set(vocabulary(letters(everything.params)))


# -- stored glyphs ---------------------------------------------------------------------------------------------------


def test_stored_glyphs_are_those_of_the_generator(stored: pa.Table) -> None:
    planned = list(generator.renderings())
    assert list(zip(stored["code_point"].to_pylist(), stored["font"].to_pylist(), strict=True)) == planned
    assert stored["name"].to_pylist() == [unicodedata.name(chr(code_point)) for code_point, _ in planned]
    assert all(any(pixels) for pixels in stored["pixels"].to_pylist())


@pytest.mark.parametrize("row", [0, 1, 2, 3_000, 6_185])
def test_rendering_again_gives_the_stored_bytes(stored: pa.Table, row: int) -> None:
    found = PIL.features.version("freetype2")
    if found != FREETYPE:
        pytest.skip(f"the glyphs are of FreeType {FREETYPE}, Pillow has {found}")
    glyph = {name: stored[name][row].as_py() for name in ("code_point", "font", "pixels")}
    assert generator.render(glyph["code_point"], glyph["font"]).tobytes() == glyph["pixels"]


# -- the vision-language paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fusion", "encoders"),
    [
        ("late", {"text": "bert_tiny", "image": "vit_tiny"}),
        ("early", {"joint": "vilt_tiny"}),
        ("early", {"joint": "vilt_interpolate_tiny"}),
        ("late", {}),
    ],
)
def test_transformers_train_on_real_pairs(fusion: str, encoders: dict[str, str], store: Store, cache: Path) -> None:
    params = {"preset": "tiny"}
    spec = TrialSpec(
        dataset="glyph_names", method="naive", dataset_params=params, fusion=fusion, encoders=encoders, epochs=2
    )
    assert not Sweep([spec], store=store.root, tracking="none", cache=cache).run(inline=True).failed
    found = store.read_trial(resolve(spec).trial_id)
    assert {key.pattern for key in found.logits} == {"image-text", "image", "text"}
    losses = found.history[found.history["name"] == "train/joint"]["value"]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
