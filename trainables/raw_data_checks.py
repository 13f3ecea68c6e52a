"""What a data set must fulfil before any trial may use it: shapes, ranges, and no leak between splits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.errors import MmptError
from search_spaces.splits import SPLITS
from trainables.api_data import DataInfo, InputInfo, RawData

__all__ = ["InvalidDataError", "check_index", "check_raw_data"]


class InvalidDataError(MmptError):
    """A data set whose decoded samples cannot be trained on or would give dishonest results."""


def check_raw_data(raw: RawData, info: DataInfo) -> None:
    """Check decoded samples against what the data set says about itself.

    Raises:
        InvalidDataError: one line per problem found.
    """
    problems = list(_lengths(raw, info)) or [
        *_ids_and_splits(raw.sample_ids, raw.splits),
        *_groups(raw.splits, raw.groups),
        *_targets(raw, info),
    ]
    if not problems:
        problems = [
            *_present(raw),
            *(line for name in info.modalities for line in _inputs(name, raw.inputs[name], raw.sample_ids, info)),
        ]
    if problems:
        raise InvalidDataError("\n".join(f"data set {info.dataset}: {problem}" for problem in problems))


def check_index(dataset: str, sample_ids: Sequence[str], splits: Sequence[str], groups: Sequence[str]) -> None:
    """Check what is known before anything is decoded: unique ids, every split, no group in two splits.

    Args:
        dataset: its key.
        sample_ids: of the N samples.
        splits: of the N samples.
        groups: of the N samples; empty if groups may be in several splits.

    Raises:
        InvalidDataError: one line per problem found.
    """
    problems = [*_ids_and_splits(sample_ids, splits), *(_groups(splits, groups) if groups else ())]
    if problems:
        raise InvalidDataError("\n".join(f"data set {dataset}: {problem}" for problem in problems))


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


def _ids_and_splits(sample_ids: Sequence[str], splits: Sequence[str]) -> Iterator[str]:
    twice = [name for name, times in Counter(sample_ids).items() if times > 1]
    if twice:
        yield f"{len(twice)} sample ids occur more than once, for instance {twice[0]!r}"
    if unknown := sorted(set(splits) - set(SPLITS)):
        yield f"unknown split {unknown[0]!r}; expected {', '.join(SPLITS)}"
    for split in SPLITS:
        if split not in splits:
            yield f"no sample in split {split}"


def _groups(splits: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    found: dict[str, set[str]] = {split: set() for split in SPLITS}
    for split, group in zip(splits, groups, strict=True):
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


def _inputs(name: str, values: npt.NDArray[Any], sample_ids: Sequence[str], info: DataInfo) -> Iterator[str]:
    """Yield what is wrong with the stored inputs of one modality: type, shape, numbers, token ids."""
    expected, stored = info.inputs[name], info.inputs[name].stored
    if values.shape[1:] != tuple(stored.shape) or values.dtype != np.dtype(stored.dtype):
        found = f"{values.dtype} {values.shape[1:]}"
        yield f"input {name} is {found} per sample, info() says {stored.dtype} {tuple(stored.shape)}"
    elif 0 in expected.shape:
        yield f"input {name} has no values in any sample: its shape is {tuple(expected.shape)}; leave the modality out"
    elif expected.kind == "text":
        yield from _token_ids(name, values, expected)
    elif values.dtype.kind == "f" and not np.isfinite(values).all():
        row = next(row for row, item in enumerate(values) if not np.isfinite(item).all())
        yield f"input {name} of sample {sample_ids[row]!r} is not finite"


def _token_ids(name: str, values: Any, expected: InputInfo) -> Iterator[str]:
    limit = expected.vocabulary_size
    if limit is None:
        yield f"input {name} is text, but info() has no vocabulary_size"
    elif values.size and (values.min() < 0 or values.max() >= limit):
        yield f"input {name} has token ids from {values.min()} to {values.max()}, allowed are 0 ... {limit - 1}"
