"""A small transformer over the tokens of any set of modalities, trained from random weights."""

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType

import torch
from torch import Tensor, nn

from trainables.api import Backbone, InputInfo
from trainables.api_data import Kind
from trainables.backbones._layers import Layers
from trainables.backbones._patches import frame_is_sound, largest_patch, word_is_token

__all__ = ["Tokens"]

_VECTOR_TOKENS = 4
_FRAMES = 8  # of audio in one token
_POSITION_SCALE = 0.02


class _Embedder(nn.Module):
    """Inputs to tokens; every modality has its own positions, which also tell the modalities apart."""

    def __init__(self, num_tokens: int, width: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(num_tokens, width) * _POSITION_SCALE)


class _ImagePatches(_Embedder):
    """Square patches of an image, or of every frame of a clip."""

    def __init__(self, info: InputInfo, width: int) -> None:
        *frames, channels, rows, columns = info.shape
        patch = largest_patch(rows, columns)
        super().__init__(prod(frames) * (rows // patch) * (columns // patch), width)
        self.projection = nn.Conv2d(channels, width, kernel_size=patch, stride=patch)

    def forward(self, inputs: Tensor) -> tuple[Tensor, None]:
        """Map (B, channels, height, width) or (B, frames, channels, height, width) to (B, L, width)."""
        patches = self.projection(inputs.flatten(0, -4)).flatten(2).transpose(1, 2)
        return patches.reshape(len(inputs), *self.positions.shape) + self.positions, None


class _AudioFrames(_Embedder):
    """A few consecutive frames, all bands, per token; an incomplete last group is padded with silence."""

    def __init__(self, info: InputInfo, width: int) -> None:
        bands, frames = info.shape
        group = min(frames, _FRAMES)
        num_tokens = -(-frames // group)
        super().__init__(num_tokens, width)
        self.missing = num_tokens * group - frames
        self.frames = group
        self.projection = nn.Linear(bands * group, width)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, bands, frames) to (B, L, width); frames of zeros are padding."""
        padded = nn.functional.pad(inputs, (0, self.missing))
        groups = padded.view(*padded.shape[:2], -1, self.frames).transpose(1, 2).flatten(2)
        return self.projection(groups) + self.positions, frame_is_sound(padded, self.frames)


class _Words(_Embedder):
    """One token per token id."""

    def __init__(self, info: InputInfo, width: int) -> None:
        super().__init__(info.shape[0], width)
        assert info.vocabulary_size is not None, "a data set says how many token ids its text has"
        self.words = nn.Embedding(info.vocabulary_size, width)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, L) ids to (B, L, width); id 0 is padding."""
        return self.words(inputs) + self.positions, word_is_token(inputs)


class _VectorTokens(_Embedder):
    """Four linear maps of the whole vector."""

    def __init__(self, info: InputInfo, width: int) -> None:
        super().__init__(_VECTOR_TOKENS, width)
        self.projection = nn.Linear(info.shape[0], _VECTOR_TOKENS * width)

    def forward(self, inputs: Tensor) -> tuple[Tensor, None]:
        """Map (B, features) to (B, 4, width)."""
        return self.projection(inputs).view(len(inputs), _VECTOR_TOKENS, -1) + self.positions, None


_EMBEDDERS: Mapping[Kind, Callable[[InputInfo, int], nn.Module]] = {
    "image": _ImagePatches,
    "audio": _AudioFrames,
    "text": _Words,
    "vector": _VectorTokens,
}


class Tokens(Backbone):
    """Pre-norm transformer over image patches, groups of audio frames, words and vectors."""

    accepts = ("audio", "image", "text", "vector")
    reads_clips = True
    configurations = MappingProxyType({"tiny": {"width": 48, "depth": 2, "heads": 4, "inner": 96}})

    def __init__(self, inputs: Mapping[str, InputInfo], source: str | None = None) -> None:
        super().__init__(inputs, source)
        settings = self.configurations[source or "tiny"]
        self.width = settings["width"]
        self.embedders = nn.ModuleDict({name: _EMBEDDERS[info.kind](info, self.width) for name, info in inputs.items()})
        self.layers = Layers(**settings)
        self.norm = nn.LayerNorm(self.width)

    def embed(self, modality: str, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map a modality's inputs to its tokens."""
        tokens: tuple[Tensor, Tensor | None] = self.embedders[modality](inputs)
        return tokens

    def transform(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to final states."""
        hidden: Tensor = self.norm(self.layers(tokens, mask))
        return hidden
