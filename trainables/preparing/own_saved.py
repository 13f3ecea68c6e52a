"""Folders that the library `datasets` of Hugging Face saved to disk, read with pyarrow alone."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from search_spaces.errors import UnknownNameError
from trainables.api_data import Kind
from trainables.preparing.manifest import Media, Sample
from trainables.preparing.own_listing import Listing, check_modality, classes_of, read_split, with_validation
from trainables.preparing.own_manifest import media_of, texts_of
from trainables.preparing.tree import RawDataError

__all__ = ["cell_bytes", "is_saved", "read_saved"]

_DICT, _INFO, _STATE = "dataset_dict.json", "dataset_info.json", "state.json"
_LABELS = ("label", "labels")
_OTHERS = ("sample_id", "group")
_FILES: Mapping[str, Kind] = MappingProxyType({"Image": "image", "Audio": "audio"})
_LISTS = ("Sequence", "List", "LargeList")
_NOTHING = "null"


def read_saved(root: Path, modalities: Collection[str] | None = None) -> Listing:
    """Read what `DatasetDict.save_to_disk(root)` wrote.

    The column `label` (`labels`: any number of classes), else the only one of class labels, is the target; with class
    labels the classes are theirs. Columns of images, audio, texts and lists of floats are modalities, called like the
    column. `sample_id` and `group` are used if they are there; else a sample's id is its split and row.

    Args:
        root: the folder with dataset_dict.json.
        modalities: columns to use; by default all that can be.

    Raises:
        RawDataError: it is no such folder, a file of it cannot be read, or there is no target.
        UnknownNameError, InvalidValueError: a column or split that is not there or cannot be.
    """
    splits = [Path(str(split)).name for split in _json(root / _DICT).get("splits") or ()]
    if not splits:
        raise RawDataError(f"{root / _DICT} has no list of splits")
    features = _json(root / splits[0] / _INFO).get("features") or {}
    target = _target(features, root)
    kinds = _modalities(features, target, modalities, root)
    names, multi_label = _class_names(features[target], target)
    samples: list[Sample] = []
    for split in splits:
        samples += _samples(root, split, kinds, target, names)
    named = [name for sample in samples for name in ([sample.label] if not multi_label else sample.label)]
    classes = classes_of((str(name) for name in named if name), str(root)) if names is None else tuple(names)
    return Listing(kinds=kinds, classes=classes, multi_label=multi_label, samples=with_validation(samples))


def is_saved(root: Path) -> bool:
    """Tell whether `DatasetDict.save_to_disk` wrote this folder."""
    return (root / _DICT).is_file()


def cell_bytes(root: Path, path: str, column: str, row: int) -> bytes | None:
    """Return the file in a cell of an Arrow table; None if it cannot be read."""
    try:
        cell = _table(root / path).column(column)[row].as_py()
    except (RawDataError, LookupError, pa.ArrowException):
        return None
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    return content if isinstance(content, bytes) else None


def _samples(
    root: Path, split: str, kinds: Mapping[str, Kind], target: str, names: Sequence[str] | None
) -> list[Sample]:
    found: list[Sample] = []
    for entry in _json(root / split / _STATE).get("_data_files") or []:
        path = f"{split}/{Path(str(entry.get('filename'))).name}"
        table = _table(root / path)
        if missing := {target, *kinds} - set(table.column_names):
            raise RawDataError(f"{root / path} has no column {min(missing)!r}")
        media = {name: _media(table.column(name), kind, path, name) for name, kind in kinds.items()}
        labels = [_label(value, names) for value in table.column(target).to_pylist()]
        ids, groups = (texts_of(table.column(o).to_pylist()) if o in table.column_names else None for o in _OTHERS)
        for row, label in enumerate(labels):
            name = ids[row] if ids else f"{split}-{len(found):07d}"
            cells = {modality: values[row] for modality, values in media.items()}
            found.append(Sample(name, read_split(split, name), label, cells, groups[row] if groups else ""))
    return found


def _media(column: Any, kind: Kind, path: str, name: str) -> list[Media]:
    """Return texts and numbers themselves; of files, where in which table they are, and their sizes."""
    if kind in {"text", "vector"}:
        return [media_of(cell, kind) for cell in column.to_pylist()]
    import pyarrow.compute as pc  # noqa: PLC0415 (a tenth of a second, of no use to other data sets)

    is_struct = pa.types.is_struct(column.type)
    sizes = pc.binary_length(pc.struct_field(column, "bytes") if is_struct else column).to_pylist()
    paths = pc.struct_field(column, "path").to_pylist() if is_struct else [None] * len(sizes)
    cells = [(path, name, row, size) for row, size in enumerate(sizes)]
    return [cell if cell[-1] is not None else media_of(paths[row], kind) for row, cell in enumerate(cells)]


def _label(value: Any, names: Sequence[str] | None) -> str | list[str]:
    if isinstance(value, list):
        return [str(_label(one, names)) for one in value]
    if names is None or not isinstance(value, int):
        return "" if value is None else str(value).strip()
    return names[value] if 0 <= value < len(names) else str(value)


def _target(features: Mapping[str, Any], root: Path) -> str:
    for name in _LABELS:
        if name in features:
            return name
    labelled = [name for name, feature in features.items() if _class_names(feature, name)[0] is not None]
    if len(labelled) != 1:
        shown = ", ".join(features) or "none"
        raise RawDataError(f"{root} has no column {' or '.join(_LABELS)} and not one of class labels; columns: {shown}")
    return labelled[0]


def _class_names(feature: Any, name: str) -> tuple[list[str] | None, bool]:
    """Return the names of a feature's classes, if it has any, and whether it is a list."""
    item = _item(feature)
    found = item.get("names") if isinstance(item, dict) and item.get("_type") == "ClassLabel" else None
    return (None if found is None else [str(one) for one in found]), item is not feature or name == _LABELS[1]


def _item(feature: Any) -> Any:
    """Return what a list is a list of; the feature itself if it is no list."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    if isinstance(feature, dict) and feature.get("_type") in _LISTS:
        return feature.get("feature")
    return feature


def _modalities(
    features: Mapping[str, Any], target: str, chosen: Collection[str] | None, root: Path
) -> dict[str, Kind]:
    able = {name: kind for name, feature in features.items() if (kind := _kind(feature)) is not None}
    able = {name: kind for name, kind in able.items() if name not in {target, *_OTHERS}}
    for name in chosen or ():
        if name not in able:
            raise UnknownNameError(f"column of {root}", name, able)
    kinds = {check_modality(name, f"column of {root}"): able[name] for name in (chosen if chosen is not None else able)}
    if not kinds:
        raise RawDataError(f"{root} has no column of images, audio, texts or lists of floats: {', '.join(features)}")
    return kinds


def _kind(feature: Any) -> Kind | None:
    item = _item(feature)
    kind, dtype = (item.get("_type"), str(item.get("dtype", _NOTHING))) if isinstance(item, dict) else (None, _NOTHING)
    if item is not feature:
        return "vector" if kind == "Value" and dtype.startswith("float") else None
    if kind == "Value":
        return "text" if dtype in {"string", "large_string"} else None
    return _FILES.get(str(kind))


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RawDataError(
            f"{path} is not there; expected a folder that DatasetDict.save_to_disk of Hugging Face's datasets wrote"
        ) from error
    except ValueError as error:
        raise RawDataError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise RawDataError(f"{path} is no object")
    return content


def _table(path: Path) -> Any:
    """Map a table; its pages are read when they are needed."""
    try:
        about = path.stat()
    except OSError as error:
        raise RawDataError(f"{path} cannot be read: {error.strerror}") from error
    return _mapped(str(path), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=256)
def _mapped(path: str, size: int, changed: int) -> Any:
    del size, changed  # another file of the same name is another table
    try:
        source = pa.memory_map(path)
        try:
            return pa.ipc.open_stream(source).read_all()
        except pa.ArrowInvalid:
            return pa.ipc.open_file(source).read_all()
    except (pa.ArrowException, OSError) as error:
        raise RawDataError(f"{path} cannot be read as an Arrow table: {error}") from error
