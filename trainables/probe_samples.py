"""What probes learn from: features and targets per pattern, those of equal width pooled into one tensor."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from search_spaces.modality import Pattern

__all__ = ["PooledSamples", "ProbeTask", "with_ones"]


@dataclass(frozen=True, kw_only=True)
class ProbeTask:
    """The data of one probe.

    Attributes:
        train: (N_p, d) features of the training samples that have the whole pattern.
        train_targets: (N_p,) or (N_p, C), on the features' device.
        val: (V_p, d) features of the validation samples that have it.
        val_targets: (V_p,) or (V_p, C), on the host.
    """

    train: Tensor
    train_targets: Tensor
    val: Tensor
    val_targets: npt.NDArray[np.int64]


class PooledSamples:
    """Training samples of all patterns of one width, one pattern's after the other's."""

    def __init__(self, tasks: Mapping[Pattern, ProbeTask]) -> None:
        self.features = torch.cat([with_ones(task.train) for task in tasks.values()])
        self.targets = torch.cat([task.train_targets for task in tasks.values()])
        ends = np.cumsum([len(task.train) for task in tasks.values()]).tolist()
        self.begins = dict(zip(tasks, [0, *ends], strict=False))

    def taken(self, rows: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows (B,) of the patterns that begin at `offsets` (G, 1): features (G, B, d + 1) and targets."""
        places = (rows + offsets).flatten()
        features, targets = self.features.index_select(0, places), self.targets.index_select(0, places)
        shape = len(offsets), len(rows)
        return features.view(*shape, -1), targets.view(*shape, *targets.shape[1:])


def with_ones(features: Tensor) -> Tensor:
    """Append the bias's column, (N, d) to (N, d + 1)."""
    return torch.cat([features, features.new_ones(len(features), 1)], dim=1)
