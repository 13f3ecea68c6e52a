"""Opening a data set of files with the parameters of its fixture."""

from pathlib import Path
from types import ModuleType
from typing import Any

import opened as by_key

from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.manifest import Sample

__all__ = ["opened", "samples_of"]


def opened(key: str, raw: ModuleType, root: Path, **params: Any) -> FileDataset:
    """The data set on a folder, with the parameters of its fixture and others."""
    return by_key.opened(key, root, **{**raw.PARAMS, **params})


def samples_of(dataset: FileDataset) -> dict[str, Sample]:
    """Id -> sample."""
    return {sample.sample_id: sample for sample in dataset.manifest()[0].samples}
