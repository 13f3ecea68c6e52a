"""What is kept of a finished trial's model: its weights and the probe of every pattern, in one safetensors file."""

from collections.abc import Mapping

from torch import Tensor

from search_spaces.modality import Pattern
from trainables.api import Method
from trainables.checkpoint import pack, unpack, weights
from trainables.probe import FittedProbe

__all__ = ["Head", "pack_model", "unpack_model"]

Head = tuple[Tensor, Tensor]
"""A probe's weight (d, C) and bias (C,)."""
_MODEL, _PROBES = "model", "probe"


def pack_model(method: Method, probes: Mapping[Pattern, FittedProbe]) -> bytes:
    """Return a trained method's weights and its probes as safetensors bytes."""
    heads = {
        f"{pattern.key}/{name}": tensor
        for pattern, probe in probes.items()
        for name, tensor in (("weight", probe.weight), ("bias", probe.bias))
    }
    return pack({_MODEL: weights(method), _PROBES: heads}, {})


def unpack_model(data: bytes) -> tuple[dict[str, Tensor], dict[Pattern, Head]]:
    """Return (weights, probes) of `pack_model`."""
    groups, _ = unpack(data)
    heads = groups.get(_PROBES, {})
    keys = {name.partition("/")[0] for name in heads}
    return groups[_MODEL], {Pattern.from_key(key): (heads[f"{key}/weight"], heads[f"{key}/bias"]) for key in keys}
