"""What a data set must fulfil before any trial may use it: shapes, ranges, and no leak between splits."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from results.schema import SPLITS
from search_spaces.errors import MmptError
from trainables.api import DataInfo, InputInfo, RawData

__all__ = ["InvalidDataError", "check_raw_data"]


class InvalidDataError(MmptError):
    """A data set whose decoded samples cannot be trained on or would give dishonest results."""


def check_raw_data(raw: RawData, info: DataInfo) -> None:
    """Check decoded samples against what the data set says about itself.

    Raises:
        InvalidDataError: one line per problem found.
    """
    problems = list(_lengths(raw, info)) or [*_ids_and_splits(raw), *_groups(raw), *_targets(raw, info)]
    if not problems:
        problems = [*_present(raw), *(line for name in info.modalities for line in _inputs(name, raw, info))]
    if problems:
        raise InvalidDataError("\n".join(f"data set {info.dataset}: {problem}" for problem in problems))


def _lengths(raw: RawData, info: DataInfo) -> Iterator[str]:
    if set(raw.inputs) != set(info.inputs):
        yield f"inputs of {', '.join(sorted(raw.inputs))}, but info() names {', '.join(info.modalities)}"
    if unknown := sorted(set(raw.present) - set(info.inputs)):
        yield f"presence of unknown modality {', '.join(unknown)}"
    columns: dict[str, Any] = {"splits": raw.splits, "groups": raw.groups, "targets": raw.targets}
    columns |= {f"input {name}": values for name, values in raw.inputs.items()}
    columns |= {f"presence of {name}": values for name, values in raw.present.items()}
    for what, values in columns.items():
        if len(values) != len(raw.sample_ids):
            yield f"{len(raw.sample_ids)} sample ids but {len(values)} entries of {what}"


def _ids_and_splits(raw: RawData) -> Iterator[str]:
    twice = [name for name, times in Counter(raw.sample_ids).items() if times > 1]
    if twice:
        yield f"{len(twice)} sample ids occur more than once, for instance {twice[0]!r}"
    if unknown := sorted(set(raw.splits) - set(SPLITS)):
        yield f"unknown split {unknown[0]!r}; expected {', '.join(SPLITS)}"
    for split in SPLITS:
        if split not in raw.splits:
            yield f"no sample in split {split}"


def _groups(raw: RawData) -> Iterator[str]:
    found: dict[str, set[str]] = {split: set() for split in SPLITS}
    for split, group in zip(raw.splits, raw.groups, strict=True):
        if group:
            found.setdefault(split, set()).add(group)
    for one, other in combinations(SPLITS, 2):
        if shared := sorted(found[one] & found[other]):
            yield f"{len(shared)} groups are in both {one} and {other}, for instance {shared[0]!r}"


def _targets(raw: RawData, info: DataInfo) -> Iterator[str]:
    expected = (len(raw.sample_ids), info.num_classes) if info.multi_label else (len(raw.sample_ids),)
    if raw.targets.shape != expected or raw.targets.dtype != np.int64:
        yield f"targets are {raw.targets.dtype} {raw.targets.shape}, expected int64 {expected}"
        return
    largest = 1 if info.multi_label else info.num_classes - 1
    outside = raw.targets[(raw.targets < 0) | (raw.targets > largest)]
    if len(outside):
        yield f"target {outside[0]} is outside 0 ... {largest}"


def _present(raw: RawData) -> Iterator[str]:
    for name, values in raw.present.items():
        if values.shape != (len(raw.sample_ids),) or values.dtype != np.bool_:
            yield f"presence of {name} is {values.dtype} {values.shape}, expected bool ({len(raw.sample_ids)},)"
            return
    if set(raw.present) == set(raw.inputs):
        empty = np.flatnonzero(~np.logical_or.reduce(list(raw.present.values())))
        if len(empty):
            yield f"{len(empty)} samples have no modality at all, for instance {raw.sample_ids[empty[0]]!r}"


def _inputs(name: str, raw: RawData, info: DataInfo) -> Iterator[str]:
    values, expected = raw.inputs[name], info.inputs[name]
    dtype = np.int64 if expected.kind == "text" else np.float32
    if values.shape[1:] != tuple(expected.shape) or values.dtype != dtype:
        found = f"{values.dtype} {values.shape[1:]}"
        yield f"input {name} is {found} per sample, info() says {np.dtype(dtype)} {tuple(expected.shape)}"
    elif expected.kind == "text":
        yield from _token_ids(name, values, expected)
    elif not np.isfinite(values).all():
        row = next(row for row, item in enumerate(values) if not np.isfinite(item).all())
        yield f"input {name} of sample {raw.sample_ids[row]!r} is not finite"


def _token_ids(name: str, values: Any, expected: InputInfo) -> Iterator[str]:
    limit = expected.vocabulary_size
    if limit is None:
        yield f"input {name} is text, but info() has no vocabulary_size"
    elif values.size and (values.min() < 0 or values.max() >= limit):
        yield f"input {name} has token ids from {values.min()} to {values.max()}, allowed are 0 ... {limit - 1}"
