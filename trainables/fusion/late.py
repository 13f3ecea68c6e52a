"""Late fusion: independent encoders and one linear head on the concatenated representations."""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn

from trainables.api import Batch, Dataset, Encoder, Features, Fusion, InputInfo
from trainables.encoder_names import build_encoder, encoder_identity

__all__ = ["Late"]


class Late(Fusion):
    """s = concat(phi^1(x^1), ..., phi^M(x^M)) W^T + b (MMPT section 3.1)."""

    depends_on_pattern = False

    def __init__(self, encoders: Mapping[str, Encoder], num_classes: int) -> None:
        super().__init__(encoders, {name: encoder.width for name, encoder in encoders.items()}, num_classes)

    @classmethod
    def parts(cls, dataset: type[Dataset], used: tuple[str, ...]) -> Mapping[str, str | None]:
        """Return one encoder per modality."""
        return {name: dataset.default_encoders.get(name) for name in used}

    @classmethod
    def identities(cls, names: Mapping[str, str], inputs: Mapping[str, InputInfo]) -> dict[str, str]:
        """Return the encoders' identities."""
        return {name: encoder_identity(encoder, inputs[name]) for name, encoder in names.items()}

    @classmethod
    def build(
        cls, names: Mapping[str, str], inputs: Mapping[str, InputInfo], used: tuple[str, ...], num_classes: int
    ) -> Self:
        """Build the used modalities' encoders."""
        return cls({name: build_encoder(names[name], inputs[name]) for name in used}, num_classes)

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Encode the rows that have a modality; the others stay zero, which is also what dropped features are."""
        features: dict[str, Tensor] = {}
        for name in self.encoders:
            if name not in batch.inputs:
                continue
            rows = batch.rows(name)
            if rows is None:
                features[name] = self._encoded(name, batch.inputs[name])
                continue
            features[name] = torch.zeros(len(batch), self.widths[name], device=batch.targets.device)
            if len(rows):
                encoded = self._encoded(name, batch.inputs[name])
                features[name] = features[name].to(encoded.dtype).index_copy(0, rows, encoded)
        return features

    def _encoded(self, name: str, inputs: Tensor) -> Tensor:
        return self.spread(len(inputs), lambda rows: self.encoders[name](inputs[rows]))

    def alone(self, features: Features, batch: Batch) -> Features:
        """Return the features themselves: no encoder sees another's modality."""
        del batch
        return features

    def only(self, modality: str) -> Self:
        """Keep one encoder."""
        single = super().only(modality)
        single.encoders = nn.ModuleDict({modality: single.encoders[modality]})
        return single
