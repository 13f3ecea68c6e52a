"""From what lies in the cache to what an encoder gets, on the device and for one batch at a time."""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from trainables.api_data import InputInfo, Storage

__all__ = ["as_input"]


def as_input(stored: Tensor, info: InputInfo) -> Tensor:
    """Return (B, *shape) floats, or token ids (B, tokens) that may be fewer than the shape says.

    Args:
        stored: (B, *stored shape).
        info: what the encoder gets, and how it is stored.
    """
    if info.kind == "text":
        return stored.long()
    storage = info.storage
    if storage is None:
        return stored
    scale, shift = _affine(storage, len(info.shape), stored.device)
    values = stored.float()
    if scale.numel() > 1 and values.shape[-scale.dim()] == 1:  # one stored channel stands for several equal ones
        values = values.repeat_interleave(scale.numel(), dim=-scale.dim())
    values = values.mul_(scale).add_(shift)
    missing = info.shape[-1] - storage.shape[-1]
    return functional.pad(values, (0, missing), value=storage.padding) if missing else values


@lru_cache(maxsize=64)
def _affine(storage: Storage, axes: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return scale and shift; one number per channel applies along the third axis from the end."""
    per_channel = (-1, *(1,) * min(axes - 1, 2))
    scale, shift = (torch.tensor(values, device=device) for values in (storage.scale, storage.shift))
    return scale.reshape(per_channel), shift.reshape(per_channel)
