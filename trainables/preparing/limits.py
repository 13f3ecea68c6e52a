"""How much may be wrong with raw data before preparing it is refused."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.manifest import Manifest
from trainables.raw_data_checks import InvalidDataError
from trainables.sample_digests import DIGEST

__all__ = ["check_limits"]


def check_limits(
    dataset: FileDataset,
    manifest: Manifest,
    max_missing: float,
    audit: Audit,
    *,
    decoded: Mapping[str, Any] | None = None,
) -> None:
    """Refuse data of which too much is missing or that is in several splits.

    Args:
        dataset: the data set.
        manifest: its samples.
        max_missing: largest share of a modality's listed files that may be unusable.
        audit: where samples with equal content in two splits are recorded.
        decoded: column -> values, once everything is decoded.

    Raises:
        InvalidDataError: one line per limit that is exceeded.
    """
    problems = list(_missing(dataset, manifest, max_missing, decoded))
    if decoded:
        problems += _duplicates(dataset, manifest, audit, decoded)
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
                f"--max-missing {np.ceil(share * 1000) / 1000:g}"
            )


def _duplicates(dataset: FileDataset, manifest: Manifest, audit: Audit, decoded: Mapping[str, Any]) -> Iterator[str]:
    keys = np.ascontiguousarray(decoded[DIGEST]).view(np.uint64).ravel()
    somewhere = np.any([decoded[f"present_{name}"] for name in dataset.modalities()], axis=0)
    splits = np.array([sample.split for sample in manifest.samples])
    _, groups = np.unique(keys, return_inverse=True)
    in_split = {split: np.isin(groups, groups[(splits == split) & somewhere]) for split in ("train", "val", "test")}
    several = sum(values.astype(int) for values in in_split.values()) > 1
    crossing = np.flatnonzero(several & somewhere & (splits != "train"))
    for row in crossing:
        audit.add("cross_split_dup", manifest.samples[row].sample_id)
    share = len(crossing) / max(int((splits != "train").sum()), 1)
    if share > dataset.max_duplicates:
        first = manifest.samples[crossing[0]].sample_id
        yield (
            f"{len(crossing)} validation and test samples ({100 * share:.2f} %) equal one of another split in every "
            f"modality, for instance {first}; allowed are {100 * dataset.max_duplicates:g} %"
        )
