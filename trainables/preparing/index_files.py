"""Texts and index files of unknown encoding: whatever line of them is wrong is recorded and left out."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from trainables.decoding.texts import decode_text
from trainables.preparing.audit import Audit
from trainables.preparing.reader import file_bytes
from trainables.preparing.tree import RawDataError, Tree

__all__ = ["MMBT_FILES", "MmbtRow", "index_text", "json_index", "mmbt_rows", "tab_rows", "text_file", "to_text"]

MMBT_FILES = ("train.jsonl", "dev.jsonl", "test.jsonl")
"""Index files of MMBT and of all that descends from it (QMF, MLA)."""

_NO_TEXT = {"html_instead", "lfs_pointer"}
_OF_BYTES = {*_NO_TEXT, "non_utf8"}  # what is wrong with the words, TextReader says of each sample


class MmbtRow(NamedTuple):
    """One line of MMBT's index: split, label, text and the image's path."""

    split: str
    label: str
    text: str
    image: str


def to_text(data: bytes, where: str, audit: Audit) -> str | None:
    """Decode a file's bytes, None if they are no text; record in `audit` what is wrong with them."""
    text, issues = decode_text(data)
    audit.extend((code, where) for code in issues if code in _OF_BYTES)
    return None if _NO_TEXT & set(issues) else text


def text_file(tree: Tree, path: str, audit: Audit) -> str | None:
    """Return the text of a sample's file; None, and a line in `audit`, if there is none."""
    data = file_bytes(tree.root, path) if tree.has(path) else None
    if data is None:
        audit.add("missing_file", path)
    return None if data is None else to_text(data, path, audit)


def index_text(tree: Tree, path: str, audit: Audit) -> str:
    """Return the text of an index file.

    Raises:
        RawDataError: it is not there, cannot be read, or is no text.
    """
    text = to_text(tree.read(path), path, audit)
    if text is None or not text.strip():
        raise RawDataError(
            f"{tree.root / path} is not the index file that it should be, but empty, a web page or a stub"
        )
    return text


def json_index(tree: Tree, path: str, kind: type[dict[Any, Any]] | type[list[Any]], audit: Audit) -> Any:
    """Return the content of a JSON index file, a dict or a list as `kind` says.

    Raises:
        RawDataError: it is not there, cannot be read, no JSON, or of another kind.
    """
    try:
        found = json.loads(index_text(tree, path, audit))
    except (ValueError, RecursionError) as error:
        raise RawDataError(f"{tree.root / path} is no JSON: {error}") from error
    if not isinstance(found, kind):
        raise RawDataError(f"{tree.root / path} is a JSON {type(found).__name__}; expected one {kind.__name__}")
    return found


def tab_rows(text: str, where: str, columns: Sequence[str], audit: Audit) -> Iterator[dict[str, str]]:
    """Yield the rows of a table with tabs and a header by their column; quotation marks mean nothing.

    Only a line feed ends a row: short messages contain every other character that Unicode calls a line break.

    Args:
        text: of the whole file.
        where: the file, for messages.
        columns: those that must be there; others are yielded, too.
        audit: where rows of another length are recorded.

    Raises:
        RawDataError: a column is not there.
    """
    header, *lines = (line.rstrip("\r").split("\t") for line in text.split("\n"))
    if lacking := [name for name in columns if name not in header]:
        raise RawDataError(f"{where} has no column {lacking[0]}; its first line is {' '.join(header)[:200]!r}")
    for number, cells in enumerate(lines, start=2):
        if len(cells) == len(header):
            yield dict(zip(header, cells, strict=True))
        elif cells != [""]:
            audit.add("bad_row", f"{where}:{number}")


def mmbt_rows(tree: Tree, audit: Audit) -> Iterator[MmbtRow]:
    """Yield the lines of train.jsonl, dev.jsonl and test.jsonl.

    Raises:
        RawDataError: a file is not there or cannot be read.
    """
    for split, path in zip(("train", "val", "test"), MMBT_FILES, strict=True):
        for number, line in enumerate(index_text(tree, path, audit).split("\n"), start=1):
            if row := _mmbt_row(split, line):
                yield row
            elif line.strip():
                audit.add("bad_row", f"{path}:{number}")


def _mmbt_row(split: str, line: str) -> MmbtRow | None:
    try:
        about = json.loads(line)
        return MmbtRow(split, str(about["label"]), str(about["text"]), str(about["img"]))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
