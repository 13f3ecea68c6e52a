"""The three forms in which the index of UPMC Food-101 goes round, each to the same rows."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from trainables.api_files import (
    MMBT_FILES,
    Audit,
    RawDataError,
    Tree,
    index_text,
    json_index,
    mmbt_rows,
    stratified_split,
)

__all__ = ["FORMS", "Row", "rows_of"]

FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "map": ("split.json",),
        "mmbt": MMBT_FILES,
        "carved": ("texts/train_titles.csv", "texts/test_titles.csv"),
    }
)
"""name -> the files that it is made of."""

_VALIDATION = 0.1
_PICTURES = (".jpg", ".jpeg", ".png")
_COLUMNS = 3


class Row(NamedTuple):
    """One picture with its title; `path` is where it should lie."""

    file: str
    split: str
    label: str
    title: str
    path: str


def rows_of(form: str, tree: Tree, audit: Audit) -> Iterator[Row]:
    """Yield the rows of one of `FORMS`.

    Raises:
        RawDataError: a file of it is not there or cannot be understood.
    """
    return {"map": _of_map, "mmbt": _of_mmbt, "carved": _of_titles}[form](tree, audit)


def _of_map(tree: Tree, audit: Audit) -> Iterator[Row]:
    """Follow MAP's split.json; titles are in its text.json, or else in the csv files."""
    splits = json_index(tree, "split.json", dict, audit)
    if not all(isinstance(splits.get(split), list) for split in ("train", "val", "test")):
        raise RawDataError(f"{tree.root / 'split.json'} has no lists train, val and test")
    if tree.has("text.json"):
        titles = json_index(tree, "text.json", dict, audit)
    else:
        titles = {row.file: row.title for name in ("train", "test") for row in _titles(name, tree, audit)}
    for split in ("train", "val", "test"):
        for file in map(str, splits[split]):
            label = file.rpartition("_")[0]
            yield Row(file, split, label, str(titles.get(file, "")), _path(split, label, file))


def _of_mmbt(tree: Tree, audit: Audit) -> Iterator[Row]:
    for row in mmbt_rows(tree, audit):
        yield Row(PurePosixPath(row.image).name, row.split, row.label, row.text, row.image)


def _of_titles(tree: Tree, audit: Audit) -> Iterator[Row]:
    """Follow the csv files, with a tenth of each class's training rows as validation."""
    train = list(_titles("train", tree, audit))
    parts = stratified_split({row.file: row.label for row in train}, {"train": 1 - _VALIDATION, "val": _VALIDATION})
    for row in train:
        yield row._replace(split=parts[row.file])
    yield from _titles("test", tree, audit)


def _titles(split: str, tree: Tree, audit: Audit) -> Iterator[Row]:
    """Yield the rows of one csv file; its first line is a header unless it names a picture."""
    where = f"texts/{split}_titles.csv"
    reader = csv.reader(StringIO(index_text(tree, where, audit), newline=""))
    try:
        for place, cells in enumerate(reader):
            if len(cells) != _COLUMNS and cells:
                audit.add("bad_row", f"{where}:{reader.line_num}")
            elif cells and (place or cells[0].lower().endswith(_PICTURES)):
                file, title, label = PurePosixPath(cells[0]).name, cells[1], cells[2].strip()
                yield Row(file, split, label, title, _path(split, label, file))
    except csv.Error as error:
        raise RawDataError(f"{tree.root / where}, line {reader.line_num}: {error}") from error


def _path(split: str, label: str, file: str) -> str:
    return f"images/{'test' if split == 'test' else 'train'}/{label}/{file}"
