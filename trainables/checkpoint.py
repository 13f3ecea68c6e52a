"""Checkpoints as safetensors: named tensors and a JSON header, nothing that can execute."""

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

__all__ = ["optimizer_tensors", "pack", "restore_optimizer", "unpack", "weights"]

_HEADER = "__header__"


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's weights and buffers."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def pack(groups: Mapping[str, Mapping[str, Tensor]], header: Mapping[str, Any]) -> bytes:
    """Return `groups` of named tensors and a plain header as safetensors bytes."""
    flat = {f"{group}/{name}": tensor.contiguous() for group, items in groups.items() for name, tensor in items.items()}
    flat[_HEADER] = torch.frombuffer(bytearray(json.dumps(header).encode()), dtype=torch.uint8)
    return save(flat)


def unpack(data: bytes) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Return (groups, header) of `pack`."""
    flat = load(data)
    header = json.loads(bytes(flat.pop(_HEADER).numpy()))
    groups: dict[str, dict[str, Tensor]] = {}
    for path, tensor in flat.items():
        group, _, name = path.partition("/")
        groups.setdefault(group, {})[name] = tensor
    return groups, header


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as named tensors: `<parameter index>/<state name>`."""
    state = optimizer.state_dict()["state"]
    return {f"{index}/{name}": tensor for index, items in state.items() for name, tensor in items.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Load `optimizer_tensors` back; the hyperparameters stay the optimiser's own."""
    state: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        index, _, name = path.partition("/")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
