"""Batches of every kind of input with samples that lack modalities, for everything that reads token sequences."""

from collections.abc import Mapping

import numpy as np
import torch

from trainables.api import Batch, InputInfo

INFOS = {
    "audio": InputInfo(kind="audio", shape=(16, 20)),
    "image": InputInfo(kind="image", shape=(3, 16, 16)),
    "text": InputInfo(kind="text", shape=(7,), vocabulary_size=30),
    "vector": InputInfo(kind="vector", shape=(5,)),
}
AVAILABLE = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [0, 1, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 1]], dtype=bool)


def infos(*modalities: str) -> dict[str, InputInfo]:
    return {name: INFOS[name] for name in sorted(modalities)}


def inputs_of(info: InputInfo, count: int, seed: int = 0) -> torch.Tensor:
    """Random inputs; text and audio get some padding."""
    draws = torch.Generator().manual_seed(seed)
    if info.kind == "text":
        ids = torch.randint(1, info.vocabulary_size or 2, (count, *info.shape), generator=draws)
        ids[::2, 4:] = 0
        return ids
    values = torch.randn(count, *info.shape, generator=draws)
    if info.kind == "audio":
        values[::2, :, 9:] = 0
    return values


def batch(described: Mapping[str, InputInfo], *, complete: bool = False, rows: int = 6) -> Batch:
    """`rows` samples; unless `complete`, some lack a modality but each has one."""
    names = tuple(sorted(described))
    available = np.ones((rows, len(names)), dtype=bool) if complete else AVAILABLE[:rows, : len(names)].copy()
    available[~available.any(axis=1), 0] = True
    inputs = {
        name: inputs_of(described[name], rows, seed)[torch.from_numpy(available[:, seed])]
        for seed, name in enumerate(names)
    }
    return Batch(inputs=inputs, available=available, modalities=names, targets=torch.arange(rows) % 2)
