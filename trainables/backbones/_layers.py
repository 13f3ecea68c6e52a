"""Pre-norm transformer layers whose parameters have the names of the published vision transformers."""

import torch
from torch import Tensor, nn

from trainables.attention import attend

__all__ = ["Layers"]


class _Dense(nn.Module):
    """A linear map under the name that checkpoints give it."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width_in, width_out)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (..., in) to (..., out)."""
        mapped: Tensor = self.dense(hidden)
        return mapped


class _SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to itself; one matrix product for query, key and value."""
        maps = (self.query, self.key, self.value)
        weight, bias = torch.cat([m.weight for m in maps]), torch.cat([m.bias for m in maps])
        joint = nn.functional.linear(hidden, weight, bias)
        query, key, value = joint.view(*hidden.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return attend(query, key, value, mask).transpose(1, 2).flatten(2)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = _SelfAttention(width, heads)
        self.output = _Dense(width, width)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to itself."""
        mapped: Tensor = self.output(self.attention(hidden, mask))
        return mapped


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, epsilon: float, drop_out: float) -> None:
        super().__init__()
        self.attention = _Attention(width, heads)
        self.intermediate = _Dense(width, inner)
        self.output = _Dense(inner, width)
        self.layernorm_before, self.layernorm_after = (nn.LayerNorm(width, eps=epsilon) for _ in range(2))
        self.drop_out = nn.Dropout(drop_out)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Add attention, then a two-layer perceptron, each on normalised states."""
        hidden = hidden + self.drop_out(self.attention(self.layernorm_before(hidden), mask))
        inner = nn.functional.gelu(self.intermediate(self.layernorm_after(hidden)))
        added: Tensor = hidden + self.drop_out(self.output(inner))
        return added


class Layers(nn.Module):
    """A stack of pre-norm layers.

    Args:
        width: of the tokens.
        depth: number of layers.
        heads: attention heads.
        inner: width inside the perceptrons.
        epsilon: of the layer normalisations.
        drop_out: probability after attention and perceptron.
    """

    def __init__(
        self, *, width: int, depth: int, heads: int, inner: int, epsilon: float = 1e-6, drop_out: float = 0.0
    ) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(width, heads, inner, epsilon, drop_out) for _ in range(depth))

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to itself; `mask` is added to the attention scores."""
        for layer in self.layer:
            tokens = layer(tokens, mask)
        return tokens
