"""N24News: both places of the lists, the four views, entities, ids that are no UUID, the body under either key."""

import json
from pathlib import Path

import pytest
import raw_n24news as raw
from file_datasets import opened, samples_of

from trainables.catalogs import DATASETS
from trainables.dataset_identity import compute_fingerprint
from trainables.preparing.tree import RawDataError
from trainables.raw_data_checks import InvalidDataError

VIEWS = ("n24news_abstract", "n24news_body", "n24news_caption", "n24news_headline")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw.make_raw(tmp_path / "raw")
    return tmp_path / "raw"


def test_lists_beside_the_pictures_are_the_same_data(root: Path, tmp_path: Path) -> None:
    raw.make_raw(tmp_path / "flat", folder=".")
    flat = opened("n24news_body", raw, tmp_path / "flat")
    assert compute_fingerprint(flat) == compute_fingerprint(opened("n24news_body", raw, root))


def test_every_view_has_its_own_texts_of_the_same_articles(root: Path) -> None:
    texts = {key: samples_of(opened(key, raw, root))[raw.ARTICLES[1]].media["text"] for key in VIEWS}
    assert texts == {
        "n24news_abstract": "In short, 1 is a play.",
        "n24news_body": ("A long text, number 1, about a play. " * 9).strip(),
        "n24news_caption": "“a play” as seen by 1",
        "n24news_headline": "Headline 1 & “a play”",
    }
    assert len({frozenset(samples_of(opened(key, raw, root))) for key in VIEWS}) == 1


def test_a_body_under_the_crawlers_key_is_found(root: Path) -> None:
    text = samples_of(opened("n24news_body", raw, root))[raw.ARTICLES[3]].media["text"]
    assert str(text).startswith("A long text, number 3")


def test_a_short_picture_id_is_taken_as_it_is(root: Path) -> None:
    sample = samples_of(opened("n24news_headline", raw, root))[f"{raw.ARTICLES[4]}_{raw.SHORT}"]
    assert len(raw.SHORT) == 34
    assert sample.media["image"] == f"imgs/{raw.SHORT}.jpg"
    assert sample.group == raw.ARTICLES[4]


def test_of_a_repeated_article_the_first_counts(root: Path) -> None:
    text = samples_of(opened("n24news_headline", raw, root))[raw.ARTICLES[1]].media["text"]
    assert text == "Headline 1 & “a play”"


def test_an_article_in_two_lists_is_refused(root: Path) -> None:
    path = root / "news" / "nytimes_test.json"
    path.write_text(json.dumps([*json.loads(path.read_text()), raw.record(2)]))
    with pytest.raises(InvalidDataError, match="in both train and test"):
        opened("n24news_headline", raw, root).manifest()


def test_one_picture_of_two_articles_is_reported(root: Path) -> None:
    path = root / "news" / "nytimes_dev.json"
    other = {**raw.record(6), "article_id": "other"}
    path.write_text(json.dumps([*json.loads(path.read_text()), other]))
    _, audit = opened("n24news_headline", raw, root).manifest()
    assert audit.findings["dup_path"] == [f"imgs/{raw.ARTICLES[6]}.jpg"]


def test_a_picture_outside_the_folder_is_never_read(root: Path) -> None:
    (root.parent / "secret.jpg").write_bytes(b"")
    path = root / "news" / "nytimes_dev.json"
    path.write_text(json.dumps([*json.loads(path.read_text()), {**raw.record(6), "image_id": "../../secret"}]))
    _, audit = opened("n24news_headline", raw, root).manifest()
    assert "imgs/../../secret.jpg" in audit.findings["missing_file"]


@pytest.mark.parametrize("content", ['{"section": "Health"}\n{"section": "Books"}', "<!DOCTYPE html>", "", '{"a": 1}'])
def test_a_list_that_is_none_is_named(root: Path, content: str) -> None:
    (root / "news" / "nytimes_dev.json").write_text(content)
    with pytest.raises(RawDataError, match=r"nytimes_dev\.json"):
        opened("n24news_headline", raw, root).manifest()


def test_a_list_that_lacks_is_named(root: Path) -> None:
    (root / "news" / "nytimes_dev.json").unlink()
    with pytest.raises(RawDataError, match=r"neither news/nytimes_dev\.json nor nytimes_dev\.json"):
        opened("n24news_headline", raw, root).manifest()


def test_cards_name_their_view() -> None:
    assert {DATASETS.get(key).card.title for key in VIEWS} == {f"N24News, {key.rpartition('_')[2]}" for key in VIEWS}
