"""How much may be wrong with raw data before preparing it is refused."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.manifest import Manifest
from trainables.raw_data_checks import InvalidDataError
from trainables.sample_digests import DIGEST

__all__ = ["Limits", "check_limits"]


class Limits(NamedTuple):
    """The largest shares that are prepared.

    Attributes:
        missing: of a modality's listed files, those that are unusable.
        duplicates: of the validation and test samples, those that equal one of another split.
    """

    missing: float
    duplicates: float


def check_limits(
    dataset: FileDataset,
    manifest: Manifest,
    limits: Limits,
    audit: Audit,
    *,
    decoded: Mapping[str, Any] | None = None,
) -> None:
    """Refuse data of which too much is missing or that is in several splits.

    Args:
        dataset: the data set.
        manifest: its samples.
        limits: how much of it is allowed.
        audit: where samples with equal content in two splits are recorded.
        decoded: column -> values, once everything is decoded.

    Raises:
        InvalidDataError: one line per limit that is exceeded.
    """
    problems = list(_missing(dataset, manifest, limits.missing, decoded))
    if decoded:
        problems += _duplicates(dataset, manifest, limits.duplicates, audit, decoded)
    if problems:
        raise InvalidDataError("\n".join(f"data set {dataset.key()}: {problem}" for problem in problems))


def _missing(
    dataset: FileDataset, manifest: Manifest, max_missing: float, decoded: Mapping[str, Any] | None
) -> Iterator[str]:
    for name in dataset.modalities():
        listed = np.array([name in sample.media for sample in manifest.samples])
        there = np.array([sample.media.get(name) is not None for sample in manifest.samples])
        if decoded:
            there = decoded[f"present_{name}"].astype(bool)
        lost = int((listed & ~there).sum())
        share = lost / max(int(listed.sum()), 1)
        if share > max_missing:
            allowed = f"{100 * share:.2f} %, allowed are {100 * max_missing:g}"
            yield (
                f"{lost} of {listed.sum()} samples lack {name} ({allowed}): "
                f"see the audit (mmpt prepare {dataset.key()} --dry-run), mend the files, or accept it: "
                f"--max-missing {_accepting(share):g}"
            )


def _accepting(share: float) -> float:
    """Return the smallest limit of three decimals that allows this share."""
    return float(np.ceil(share * 1000) / 1000)


def _duplicates(
    dataset: FileDataset, manifest: Manifest, max_duplicates: float, audit: Audit, decoded: Mapping[str, Any]
) -> Iterator[str]:
    splits = np.array([sample.split for sample in manifest.samples])
    crossing = _in_another_split(dataset.modalities(), splits, decoded)
    for row in crossing:
        audit.add("cross_split_dup", manifest.samples[row].sample_id)
    share = len(crossing) / max(int((splits != "train").sum()), 1)
    if share > max_duplicates:
        first = manifest.samples[crossing[0]].sample_id
        yield (
            f"{len(crossing)} validation and test samples ({100 * share:.2f} %) equal one of another split in every "
            f"modality, for instance {first}; allowed are {100 * max_duplicates:g} %: take them out of one of the "
            f"splits, or accept it: --max-duplicates {_accepting(share):g}"
        )


def _in_another_split(modalities: Sequence[str], splits: Any, decoded: Mapping[str, Any]) -> list[int]:
    """Return the rows outside train that equal a sample of another split in every modality."""
    has = np.stack([decoded[f"present_{name}"] for name in modalities], axis=1).astype(bool)
    alike: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(has.any(axis=1)).tolist():
        alike[int(decoded[DIGEST][row])].append(row)
    found = []
    for rows in alike.values():
        for row in rows if len(rows) > 1 else ():
            others = (other for other in rows if splits[other] != splits[row])
            if splits[row] != "train" and any(_are_equal(row, other, modalities, decoded) for other in others):
                found.append(row)
    return sorted(found)


def _are_equal(row: int, other: int, modalities: Sequence[str], decoded: Mapping[str, Any]) -> bool:
    columns = [f"{kind}_{name}" for kind in ("present", "input") for name in modalities]
    return all(np.array_equal(decoded[name][row], decoded[name][other]) for name in columns)
