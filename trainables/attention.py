"""The arithmetic of early fusion: which tokens see which, and how a modality's tokens become one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["MASKED", "attend", "block_mask", "key_mask", "mean_of_valid"]

MASKED = -1e4
"""Stands for minus infinity: its exponential is exactly 0, yet a row in which everything is masked has no NaN."""


def key_mask(valid: Tensor) -> Tensor:
    """Return M_i (B, 1, 1, L): 0 for keys that are tokens, `MASKED` for padding (MMPT section 3.2).

    Args:
        valid: (B, L), True for tokens.
    """
    return torch.where(valid, 0.0, MASKED)[:, None, None, :]


def block_mask(lengths: Sequence[int], device: torch.device | None = None) -> Tensor:
    """Return M_c (L, L): 0 within a block, `MASKED` between blocks (MMPT section 3.2).

    Args:
        lengths: of the blocks in order: shared tokens if there are any, then each modality's.
        device: where to put it.
    """
    blocks = torch.repeat_interleave(torch.tensor(list(lengths), device=device))
    return torch.where(blocks[:, None] == blocks, 0.0, MASKED)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Return softmax(Q K^T / sqrt(d) + M) V.

    Args:
        query: (..., L, d), as key and value.
        key: where attention goes.
        value: what it returns.
        mask: M, added to the scores; its shape broadcasts to (..., L, L).
    """
    mask = None if mask is None else mask.to(query.dtype)
    return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def mean_of_valid(hidden: Tensor, valid: Tensor | None) -> Tensor:
    """Average (B, L, d) over the valid tokens to (B, d); a row without any is zero.

    Args:
        hidden: final states.
        valid: (B, L), or None if every token is valid.
    """
    if valid is None:
        return hidden.mean(dim=1)
    weight = valid.unsqueeze(2).to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
