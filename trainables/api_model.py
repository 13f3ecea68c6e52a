"""The contracts of what is trained: batches without what is missing, encoders, and fusions of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainables.api_data import InputInfo, Kind

__all__ = ["Batch", "Encoder", "Features", "Fusion"]

Features = Mapping[str, Tensor]
"""modality -> pooled representation z (B, width)."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """B samples. What is missing is not there at all, so no method can look at it.

    Attributes:
        inputs: modality -> (B_m, *shape), only the rows that have the modality.
        available: (B, M) on the host; columns in the order of `modalities`.
        modalities: alphabetical.
        targets: (B,) or (B, C), on the device.
    """

    inputs: Mapping[str, Tensor]
    available: npt.NDArray[np.bool_]
    modalities: tuple[str, ...]
    targets: Tensor

    def rows(self, *modalities: str) -> Tensor | None:
        """Return the rows that have all given modalities as a device index, or None if every row has."""
        columns = [self.modalities.index(name) for name in modalities]
        has = self.available[:, columns].all(axis=1)
        if has.all():
            return None
        return torch.from_numpy(np.flatnonzero(has)).to(self.targets.device, non_blocking=True)

    def __len__(self) -> int:
        return len(self.available)


class Encoder(nn.Module, ABC):
    """phi: one modality's input to its pooled representation.

    A file `trainables/encoders/<key>.py` holds one subclass. A spec names it `<key>`, `<key>_<configuration>` for one
    of its small random configurations, or `<key>:<checkpoint>` for published weights (a hub name or a local folder).

    Args:
        info: what the inputs look like.
        source: name of a configuration, a checkpoint, or None.

    Attributes:
        width: features of z.
    """

    version: ClassVar[str] = "1"
    accepts: ClassVar[tuple[Kind, ...]]
    configurations: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    takes_checkpoint: ClassVar[bool] = False
    width: int

    @abstractmethod
    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, *shape) to z (B, width)."""


class Fusion(nn.Module, ABC):
    """Encoders and a joint head.

    Args:
        encoders: modality -> encoder, in the order of concatenation.
        num_classes: outputs of the head.

    Attributes:
        widths: modality -> width of z, in the order of concatenation.
        head: linear map from the concatenated z to (B, C).
    """

    version: ClassVar[str] = "1"
    depends_on_pattern: ClassVar[bool]
    """False where z of a modality is the same whatever else is available, so that it is computed once."""

    def __init__(self, encoders: Mapping[str, Encoder], num_classes: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.widths = {name: encoder.width for name, encoder in encoders.items()}
        self.head = nn.Linear(sum(self.widths.values()), num_classes)

    @abstractmethod
    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Return z (B, width) per modality; rows that lack the modality are zero."""

    def fused_logits(self, features: Features) -> Tensor:
        """Return s = concat(z) W^T + b, shape (B, C); modalities that `features` lacks count as zero vectors."""
        first = next(iter(features.values()))
        parts = [
            features[name] if name in features else first.new_zeros(len(first), width)
            for name, width in self.widths.items()
        ]
        logits: Tensor = self.head(torch.cat(parts, dim=1))
        return logits

    def split_logits(self, features: Features) -> dict[str, Tensor]:
        """Return s^m = z^m (W^m)^T + b / M per modality; over all modalities they sum to the fused logits."""
        columns = torch.split(self.head.weight, list(self.widths.values()), dim=1)
        blocks = dict(zip(self.widths, columns, strict=True))
        share = self.head.bias / len(self.widths)
        return {name: z @ blocks[name].T + share for name, z in features.items()}
