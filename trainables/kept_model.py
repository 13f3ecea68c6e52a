"""What is kept of a finished trial's model: its weights, probes and imputers, in one safetensors file."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from search_spaces.modality import Pattern
from trainables.api import Method
from trainables.checkpoint import pack, unpack, weights
from trainables.evaluate import Evaluation

__all__ = ["Head", "KeptModel", "pack_model", "unpack_model"]

Head = tuple[Tensor, Tensor]
"""A probe's weight (d, C) and bias (C,)."""
_MODEL, _PROBES, _IMPUTERS = "model", "probe", "imputer"


class KeptModel(NamedTuple):
    """What `pack_model` kept.

    Attributes:
        weights: of the method.
        probes: pattern -> the probe that serves it.
        imputers: pattern -> `FittedVae.tensors` of what completes its features, where a method does that.
    """

    weights: dict[str, Tensor]
    probes: dict[Pattern, Head]
    imputers: dict[Pattern, dict[str, Tensor]]


def pack_model(method: Method, evaluation: Evaluation) -> bytes:
    """Return a trained method's weights, its probes and its imputers as safetensors bytes."""
    probes = {pattern: {"weight": probe.weight, "bias": probe.bias} for pattern, probe in evaluation.probes.items()}
    imputers = {pattern: imputer.tensors() for pattern, imputer in evaluation.imputers.items()}
    return pack({_MODEL: weights(method), _PROBES: _flat(probes), _IMPUTERS: _flat(imputers)}, {})


def unpack_model(data: bytes) -> KeptModel:
    """Return what `pack_model` kept."""
    groups, _ = unpack(data)
    probes = {pattern: (own["weight"], own["bias"]) for pattern, own in _by_pattern(groups.get(_PROBES, {})).items()}
    return KeptModel(groups[_MODEL], probes, _by_pattern(groups.get(_IMPUTERS, {})))


def _flat(tensors: Mapping[Pattern, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return copies under one name each, since one probe may serve several patterns."""
    return {f"{pattern.key}/{name}": one.clone() for pattern, own in tensors.items() for name, one in own.items()}


def _by_pattern(flat: Mapping[str, Tensor]) -> dict[Pattern, dict[str, Tensor]]:
    found: dict[Pattern, dict[str, Tensor]] = {}
    for path, tensor in flat.items():
        key, _, name = path.partition("/")
        found.setdefault(Pattern.from_key(key), {})[name] = tensor
    return found
