"""Index files and texts whatever their encoding, and texts that JSON allows but no tokenizer."""

from pathlib import Path

import numpy as np
import pytest

from trainables.preparing.audit import Audit
from trainables.preparing.index_files import index_text, json_index, mmbt_rows, tab_rows, text_file
from trainables.preparing.text_reader import TextParams, TextReader
from trainables.preparing.tree import RawDataError, Tree


def _tree(root: Path, **files: bytes) -> Tree:
    for name, data in files.items():
        (root / name).write_bytes(data)
    return Tree(root)


def test_a_text_is_decoded_and_what_is_wrong_with_its_bytes_is_said(tmp_path: Path) -> None:
    tree = _tree(
        tmp_path,
        good="\ufeffseñor".encode(),
        gbk=b"so\xa1\xad",
        page=b"<html>",
        empty=b"",
        stub=b"version https://git-lfs",
    )
    audit = Audit()
    texts = {path: text_file(tree, path, audit) for path in [*tree.sizes, "gone"]}
    assert texts == {"good": "señor", "gbk": "so…", "page": None, "empty": "", "stub": None, "gone": None}
    assert audit.findings == {
        "non_utf8": ["gbk"],
        "html_instead": ["page"],
        "lfs_pointer": ["stub"],
        "missing_file": ["gone"],
    }


def test_what_is_wrong_with_words_is_left_to_the_reader_of_the_sample(tmp_path: Path) -> None:
    audit = Audit()
    tree = _tree(tmp_path, double="itâ€™s".encode(), blank=b" \n")
    assert [text_file(tree, path, audit) for path in ("double", "blank")] == ["itâ€™s", " \n"]
    assert audit.findings == {}


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b"version https://git-lfs"])
def test_an_index_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(RawDataError, match="list is not the index file"):
        index_text(_tree(tmp_path, list=data), "list", Audit())


@pytest.mark.parametrize("data", [b"{", b"[" * 100_000, b"[]", b'"text"'])
def test_json_of_another_kind_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(RawDataError, match=r"list is (no JSON|a JSON (list|str); expected one dict)"):
        json_index(_tree(tmp_path, list=data), "list", dict, Audit())


def test_rows_end_with_a_line_feed_alone_and_quotation_marks_mean_nothing() -> None:
    audit = Audit()
    text = 'a\tb\r\n"1\tx\x0by\u2028z\x85\r\n\n2"\t\n3\n4\t5\t6\n'
    assert list(tab_rows(text, "t", ["b"], audit)) == [{"a": '"1', "b": "x\x0by\u2028z\x85"}, {"a": '2"', "b": ""}]
    assert audit.findings == {"bad_row": ["t:5", "t:6"]}
    with pytest.raises(RawDataError, match="t has no column c; its first line is 'a b'"):
        list(tab_rows("a\tb\n", "t", ["c"], audit))


def test_bad_lines_of_json_are_left_out(tmp_path: Path) -> None:
    good = b'{"id": 1, "label": "a", "text": "t", "img": "i"}\n'
    names = ("train.jsonl", "dev.jsonl", "test.jsonl")
    tree = _tree(tmp_path, **dict.fromkeys(names, good + b"\n{}\n[]\n1\n" + b"[" * 100000 + b"\n"))
    audit = Audit()
    assert list(mmbt_rows(tree, audit)) == [(split, "a", "t", "i") for split in ("train", "val", "test")]
    assert audit.findings["bad_row"] == [f"{name}:{line}" for name in names for line in (3, 4, 5, 6)]


def test_halves_of_surrogate_pairs_are_no_reason_to_stop(tmp_path: Path) -> None:
    reader = TextReader(TextParams(tokenizer="words", tokens=4)).fitted(["a \ud83d b"])
    (read,) = reader.read(["b \udc00 a"], tmp_path)
    assert reader.words is not None
    assert reader.words.identity()
    assert np.array_equal(read.values, [4, 2, 3, 0])
