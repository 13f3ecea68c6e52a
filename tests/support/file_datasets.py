"""Opening a data set of files on raw data that a test has made."""

from pathlib import Path
from types import ModuleType
from typing import Any

from trainables.catalogs import DATASETS
from trainables.params import read_params
from trainables.preparing.file_dataset import FileDataset
from trainables.preparing.manifest import Sample

__all__ = ["opened", "samples_of"]


def opened(key: str, raw: ModuleType, root: Path, **params: Any) -> FileDataset:
    """The data set on a folder, with the parameters of its fixture and others."""
    cls = DATASETS.get(key)
    dataset = cls(read_params(cls.Params, {**raw.PARAMS, **params}, key, cls.modalities()))
    assert isinstance(dataset, FileDataset)
    dataset.root = root
    return dataset


def samples_of(dataset: FileDataset) -> dict[str, Sample]:
    """Id -> sample."""
    return {sample.sample_id: sample for sample in dataset.manifest()[0].samples}
