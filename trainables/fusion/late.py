"""Late fusion: independent encoders and one linear head on the concatenated representations."""

import torch
from torch import Tensor

from trainables.api import Batch, Fusion

__all__ = ["Late"]


class Late(Fusion):
    """s = concat(phi^1(x^1), ..., phi^M(x^M)) W^T + b (MMPT section 3.1)."""

    depends_on_pattern = False

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Encode the rows that have a modality; the others stay zero, which is also what dropped features are."""
        features: dict[str, Tensor] = {}
        for name, encoder in self.encoders.items():
            if name not in batch.inputs:
                continue
            rows = batch.rows(name)
            if rows is None:
                features[name] = encoder(batch.inputs[name])
                continue
            features[name] = torch.zeros(len(batch), self.widths[name], device=batch.targets.device)
            if len(rows):
                encoded = encoder(batch.inputs[name])
                features[name] = features[name].to(encoded.dtype).index_copy(0, rows, encoded)
        return features
