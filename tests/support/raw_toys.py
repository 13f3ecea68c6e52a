"""A data set of files that tests make by the hundred in no time: grey images and short texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from trainables.api_files import (
    Audit,
    DatasetCard,
    FileDataset,
    Reader,
    Sample,
    TextParams,
    TextReader,
    Tree,
    VectorReader,
)

WIDTH = 4


@dataclass(frozen=True, kw_only=True)
class LooseParams(TextParams):
    tokenizer: str = "words"
    tokens: int = 6


class Loose(FileDataset):
    """`index.csv` lists id, split, class and text; `vectors/<id>.npy` are the other modality."""

    card = DatasetCard(title="Loose", task="two classes", licence="none", source="made here")
    Params = LooseParams
    default_encoders = MappingProxyType({"text": "words_tiny", "vector": "mlp_tiny"})
    classes = ("no", "yes")
    layout = "loose/\n  index.csv\n  vectors/<id>.npy"
    markers = ("index.csv",)
    presets: Any = MappingProxyType({"tiny": {}})
    indexed = 0

    def readers(self) -> Mapping[str, Reader]:
        return {"text": TextReader(self.params), "vector": VectorReader(WIDTH)}

    def index(self, tree: Tree, audit: Audit) -> Iterator[Sample]:
        Loose.indexed += 1
        for line in tree.read("index.csv").decode().splitlines():
            name, split, label, text = line.split(",")
            yield Sample(name, split, label, {"text": text or None, "vector": f"vectors/{name}.npy"}, name)


def make_loose(root: Path, count: int = 200) -> Path:
    """Half of the samples to train on, a quarter each to validate and test."""
    (root / "vectors").mkdir(parents=True)
    generator = np.random.default_rng(3)
    lines = []
    for number in range(count):
        split = ("train", "val", "train", "test")[number % 4]
        label = ("no", "yes")[number // 4 % 2]
        lines.append(f"s{number:05d},{split},{label},a {label} text of number {number}")
        vector = generator.normal(size=WIDTH) + (label == "yes")
        np.save(root / "vectors" / f"s{number:05d}.npy", vector.astype(np.float32))
    (root / "index.csv").write_text("\n".join(lines))
    return root


def loose(root: Path) -> Loose:
    """The data set in a folder that `make_loose` made."""
    dataset = Loose(LooseParams())
    dataset.root = root
    return dataset
