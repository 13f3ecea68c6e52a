"""Manifests, one row per sample in CSV, TSV or Parquet: `sample_id`, `split`, `label` and `<kind>:<modality>`."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any

import numpy as np

from search_spaces.errors import UnknownNameError
from trainables.api_data import Kind
from trainables.decoding.texts import decode_text
from trainables.preparing.audit import Audit
from trainables.preparing.manifest import Media, Sample
from trainables.preparing.own_listing import KINDS, Listing, check_modality, classes_of, read_split, with_validation
from trainables.preparing.tree import RawDataError

__all__ = ["SEPARATOR", "media_of", "read_manifest", "texts_of"]

SEPARATOR = "|"
_LABEL, _LABELS = "label", "labels"
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_PARQUET = ".parquet"

Columns = Mapping[str, Sequence[Any]]


def read_manifest(path: Path, audit: Audit) -> Listing:
    """Read a manifest.

    `label` is the name of a class; a column `labels` instead makes a multi-label data set, its cells names separated by
    `|` or, in Parquet, lists. `group` is optional. A column `image:poster` makes a modality `poster` of images, `image`
    alone one that is called like its kind. Cells are paths relative to the root for images (any usual format), audio
    (wav) and vectors (npy; in Parquet also lists of numbers), and the texts themselves; an empty cell is a modality
    that the sample lacks. Other columns are ignored.

    Raises:
        RawDataError: it cannot be read, a column is missing, or it has fewer than two classes.
        UnknownNameError, InvalidValueError: a kind, modality or split that cannot be.
    """
    columns = _read_columns(path, audit)
    kinds = _modalities(columns, path)
    ids = texts_of(_column(columns, "sample_id", path))
    splits = texts_of(_column(columns, "split", path))
    multi_label = _LABELS in columns
    labels = _labels(columns, path, multi_label=multi_label)
    groups = texts_of(columns["group"]) if "group" in columns else [""] * len(ids)
    media = {name: [media_of(cell, kind) for cell in columns[column]] for column, (name, kind) in kinds.items()}
    samples = [
        Sample(
            one, read_split(splits[row], one), labels[row], {m: cells[row] for m, cells in media.items()}, groups[row]
        )
        for row, one in enumerate(ids)
    ]
    named = [name for label in labels for name in ((label,) if isinstance(label, str) else label) if name]
    return Listing(
        kinds=dict(kinds.values()),
        classes=classes_of(named, str(path)),
        multi_label=multi_label,
        samples=with_validation(samples),
    )


def media_of(cell: Any, kind: Kind) -> Media:
    """Return what a modality is read from: a text, a path, or the bytes of float32 numbers; None for nothing."""
    if _is_nothing(cell):
        return None
    if kind == "vector" and not isinstance(cell, str):
        return np.asarray(cell, np.float32).tobytes()
    return str(cell) if kind == "text" else normpath(str(cell).strip())


def texts_of(cells: Sequence[Any]) -> list[str]:
    """Return cells as texts without spaces around them, "" for nothing."""
    return ["" if _is_nothing(cell) else str(cell).strip() for cell in cells]


def _is_nothing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell) or (isinstance(cell, str) and not cell)  # noqa: PLR0124


def _labels(columns: Columns, path: Path, *, multi_label: bool) -> list[str | Sequence[str]]:
    if multi_label:
        return [_several(cell) for cell in columns[_LABELS]]
    labels = texts_of(_column(columns, _LABEL, path))
    several = next((label for label in labels if SEPARATOR in label), None)
    if several is not None:
        raise RawDataError(f"{path}: label {several!r}: name the column {_LABELS!r} if samples may have several labels")
    return list(labels)


def _several(cell: Any) -> list[str]:
    parts = (cell or "").split(SEPARATOR) if isinstance(cell, str | None) else cell
    return [text for text in texts_of(list(parts)) if text]


def _modalities(columns: Columns, path: Path) -> dict[str, tuple[str, Kind]]:
    found: dict[str, tuple[str, Kind]] = {}
    for column in columns:
        prefix, colon, name = column.partition(":")
        if colon and prefix not in KINDS:
            raise UnknownNameError(f"kind of modality (column {column!r} of {path})", prefix, KINDS)
        for kind in KINDS:
            if prefix == kind:
                found[column] = (check_modality(name if colon else kind, f"column {column!r} of {path}"), kind)
    names = [name for name, _ in found.values()]
    if not names or len(set(names)) < len(names):
        what = "names a modality twice" if names else "names no modality"
        raise RawDataError(
            f"{path} {what}; its columns are {', '.join(columns)}, expected some like image:poster, text:plot, "
            "audio:speech, vector:features"
        )
    return found


def _column(columns: Columns, name: str, path: Path) -> Sequence[Any]:
    if name not in columns:
        raise RawDataError(f"{path} has no column {name!r}; its columns are {', '.join(columns)}")
    return columns[name]


def _read_columns(path: Path, audit: Audit) -> Columns:
    suffix = path.suffix.lower()
    if suffix not in {*_DELIMITERS, _PARQUET}:
        raise RawDataError(f"{path} is no manifest; expected a file that ends in .csv, .tsv or .parquet")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RawDataError(f"{path} cannot be read: {error.strerror}") from error
    columns = _parquet(data, path) if suffix == _PARQUET else _delimited(data, path, _DELIMITERS[suffix], audit)
    if not columns or not len(next(iter(columns.values()))):
        raise RawDataError(f"{path} has no rows")
    return columns


def _parquet(data: bytes, path: Path) -> Columns:
    import pyarrow as pa  # noqa: PLC0415 (planning with csv needs no arrow)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise RawDataError(f"{path} is no Parquet file: {error}") from error
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _delimited(data: bytes, path: Path, delimiter: str, audit: Audit) -> Columns:
    text, issues = decode_text(data)
    if {"html_instead", "lfs_pointer"} & set(issues):
        raise RawDataError(
            f"{path} is no manifest but {'a web page' if 'html_instead' in issues else 'a Git LFS stub'}"
        )
    audit.extend(("non_utf8", path.name) for code in issues if code == "non_utf8")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        rows = []
        for row in reader:
            if row and len(row) != len(header):
                raise RawDataError(f"{path}, line {reader.line_num}: {len(row)} cells, the header has {len(header)}")
            rows += [row] if row else []
    except csv.Error as error:
        raise RawDataError(f"{path}, line {reader.line_num}: {error}") from error
    if len(set(header)) < len(header):
        raise RawDataError(f"{path} has two columns of one name: {', '.join(header)}")
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}
