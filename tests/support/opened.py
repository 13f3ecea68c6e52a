"""Data sets of files opened on a folder, for tests of one data set."""

from pathlib import Path
from typing import Any

from trainables.dataset_identity import build_dataset, compute_fingerprint
from trainables.preparing.audit import Audit
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.manifest import Manifest, Sample


def opened(key: str, root: Path, **params: Any) -> FileDataset:
    """Return the data set with its raw files in `root`."""
    dataset = build_dataset(key, params)
    assert isinstance(dataset, FileDataset)
    dataset.root = root
    return dataset


def indexed(key: str, root: Path, **params: Any) -> tuple[Manifest, Audit]:
    """Return its samples and findings."""
    return opened(key, root, **params).manifest()


def samples(key: str, root: Path, **params: Any) -> dict[str, Sample]:
    """Return sample id -> sample."""
    return {sample.sample_id: sample for sample in indexed(key, root, **params)[0].samples}


def fingerprint(key: str, root: Path, **params: Any) -> str:
    """Return the fingerprint of the data as it is."""
    return compute_fingerprint(opened(key, root, **params))
