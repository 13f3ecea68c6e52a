"""A bag of word embeddings: seconds of training on one core, for short texts."""

import torch
from torch import Tensor, nn

from trainables.api import Encoder, InputInfo

__all__ = ["WordsTiny"]

_EMBEDDED = 32
_PADDING = 0


class WordsTiny(Encoder):
    """z = W [mean(e); max(e)] + b over the 32-feature embeddings e of a text's words, 48 features; id 0 is padding.

    A text without words counts as one embedding of zeros.
    """

    accepts = ("text",)
    width = 48

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        assert info.vocabulary_size is not None, "a data set says how many token ids its text has"
        self.words = nn.Embedding(info.vocabulary_size, _EMBEDDED, padding_idx=_PADDING)
        self.layer = nn.Linear(2 * _EMBEDDED, self.width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map token ids (B, tokens) to (B, 48)."""
        padding = (inputs == _PADDING).unsqueeze(2)
        empty = padding.all(dim=1)
        embedded = self.words(inputs)
        mean = embedded.sum(dim=1) / (~padding).sum(dim=1).clamp(min=1)
        largest = embedded.masked_fill(padding, -torch.inf).amax(dim=1).masked_fill(empty, 0.0)
        z: Tensor = self.layer(torch.cat([mean, largest], dim=1))
        return z
