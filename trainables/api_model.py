"""The contracts of what reads the data: batches without what is missing, encoders and backbones."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainables.api_data import InputInfo, Kind

__all__ = ["Backbone", "Batch", "Encoder", "Features"]

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

    def without(self, modality: str, lost: npt.NDArray[np.bool_]) -> "Batch":
        """Return the same samples, of which those in `lost` (B,) lack the modality."""
        column = self.modalities.index(modality)
        still = np.flatnonzero(~lost[self.available[:, column]])
        kept = torch.from_numpy(still).to(self.inputs[modality].device, non_blocking=True)
        available = self.available.copy()
        available[lost, column] = False
        return replace(self, inputs={**self.inputs, modality: self.inputs[modality][kept]}, available=available)

    def part(self, rows: slice) -> "Batch":
        """Return some of the samples."""
        if rows == slice(0, len(self)):
            return self
        before, behind = self.available[: rows.start].sum(axis=0), self.available[: rows.stop].sum(axis=0)
        places = {name: slice(*ends) for name, *ends in zip(self.modalities, before, behind, strict=True)}
        inputs = {name: values[places[name]] for name, values in self.inputs.items()}
        return replace(self, inputs=inputs, available=self.available[rows], targets=self.targets[rows])

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


class Backbone(nn.Module, ABC):
    """One transformer over the tokens of several modalities, for early fusion.

    A file `trainables/backbones/<key>.py` holds one subclass; a spec names it like an encoder, under `encoder.joint`.

    Args:
        inputs: modality -> what its inputs look like, for every modality of the data.
        source: name of a configuration or a checkpoint.

    Attributes:
        width: features of every token.
    """

    version: ClassVar[str] = "1"
    accepts: ClassVar[tuple[Kind, ...]]
    one_of_each: ClassVar[bool] = False
    """True if the data may have only one modality of each kind."""
    reads_clips: ClassVar[bool] = False
    """True if an image modality may have several frames."""
    configurations: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    takes_checkpoint: ClassVar[bool] = False
    width: int

    @abstractmethod
    def __init__(self, inputs: Mapping[str, InputInfo], source: str | None = None) -> None:
        super().__init__()

    @abstractmethod
    def embed(self, modality: str, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map (B, *shape) to tokens (B, L, width) and which are no padding (B, L); None if all are.

        The first token of every sample is valid, whatever the input holds.
        """

    def shared_tokens(self) -> Tensor | None:
        """Return tokens (S, width) that belong to no modality and lead the sequence where several are available."""
        return None

    @abstractmethod
    def transform(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to final states; the mask is added to the attention scores (see `attention`)."""
