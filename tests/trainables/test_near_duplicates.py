"""Near-duplicates: what of a text is compared, what counts, and where it is reported."""

from pathlib import Path

import pytest
from raw_toys import loose, make_loose

from trainables.preparing.audit import CODES
from trainables.preparing.building import BuildOptions, audit_files
from trainables.preparing.manifest import Sample
from trainables.preparing.near_duplicates import comparable, near_duplicates
from trainables.preparing.text_reader import TextParams, TextReader
from trainables.preparing.vector_reader import VectorReader

READERS = {"text": TextReader(TextParams(tokenizer="words")), "path": VectorReader(4)}
SAID = "Storm over Kyoto, stay inside"


@pytest.mark.parametrize(
    "again",
    [
        "RT @news: Storm over Kyoto, stay inside",
        "rt @news rt @other_one:  storm over kyoto stay inside",
        "STORM over #Kyoto -- stay_inside!!! https://t.co/a?b=1",
        "@you www.news.example/x Storm over Kyoto: http… stay inside @me",
        "\uff33torm over Kyoto stay inside \U0001f300",
    ],
)
def test_what_retweeting_changes_does_not_count(again: str) -> None:
    assert comparable(again) == comparable(SAID) == "storm over kyoto stay inside"


@pytest.mark.parametrize("other", ["Storm over Kyoto, stay outside", "Storm over Kyoto", "art @news: Storm over Kyoto"])
def test_other_words_count(other: str) -> None:
    assert comparable(other) != comparable(SAID)


def test_half_a_surrogate_pair_is_no_error() -> None:
    samples = [_sample("a", "train", f"\ud83d {SAID}"), _sample("b", "test", SAID)]
    assert [name for _, name in near_duplicates(samples, READERS)] == ["b"]


def test_held_out_samples_whose_text_another_split_has_are_found_once() -> None:
    samples = [
        _sample("train", "train", SAID),
        _sample("train again", "train", SAID),
        _sample("val", "val", f"RT @x: {SAID}"),
        _sample("test", "test", SAID.upper()),
        _sample("test alone", "test", "nobody else said these words"),
        _sample("test twice", "test", "this was said twice in test"),
        _sample("test twice more", "test", "this was said twice in test"),
        _sample("val only", "val", "said in both held out parts"),
        _sample("test only", "test", "said in both held out parts"),
        _sample("none", "test", None),
    ]
    found = list(near_duplicates(samples, READERS))
    assert found == [("near_duplicate", name) for name in ("val", "test", "val only", "test only")]
    assert "near_duplicate" in CODES


@pytest.mark.parametrize(("words", "found"), [("good morning kyoto", 0), ("good morning to kyoto", 1)])
def test_short_texts_are_alike_by_chance(words: str, found: int) -> None:
    samples = [_sample("a", "train", f"{words} https://t.co/a @one"), _sample("b", "val", f"RT @one: {words}")]
    assert len(list(near_duplicates(samples, READERS))) == found


@pytest.mark.parametrize(("same", "found"), [(60, 0), (150, 1)])
def test_long_texts_are_compared_by_their_beginnings(same: int, found: int) -> None:
    begun = "news " * same
    samples = [_sample("a", "train", f"{begun} first edition"), _sample("b", "val", f"{begun} second edition")]
    assert len(list(near_duplicates(samples, READERS))) == found


def test_a_modality_without_texts_is_not_compared() -> None:
    path = "one folder with one file.npy"
    samples = [Sample(name, name, "yes", {"path": path}) for name in ("train", "test")]
    assert not list(near_duplicates(samples, READERS))


def test_a_dry_run_reports_them_and_nothing_is_refused(tmp_path: Path) -> None:
    root = make_loose(tmp_path / "raw")
    lines = (root / "index.csv").read_text().splitlines()
    assert ",val," in lines[1]
    lines[1] = ",".join([*lines[1].split(",")[:3], lines[0].split(",")[3].replace("a ", "RT @x: A ", 1)])
    (root / "index.csv").write_text("\n".join(lines))
    found = audit_files(loose(root), BuildOptions())["findings"]
    assert found["near_duplicate"]["where"] == ["s00001"]
    assert found["near_duplicate"]["action"] == "reported"


def _sample(name: str, split: str, text: str | None) -> Sample:
    return Sample(name, split, "yes", {"text": text})
