"""Published weights for models that no library ships: a configuration and safetensors, checked key by key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from trainables.encoders._transformers_model import CheckpointError

__all__ = ["load_weights", "read_checkpoint"]

_MOST_NAMED = 5


def read_checkpoint(source: str, family: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the configuration and the weights of a hub name or local folder.

    Weights are read from `model.safetensors` alone, since other formats can run code.

    Raises:
        CheckpointError: there is no such checkpoint, it cannot be read, or it is of another family.
    """
    from transformers.utils.hub import cached_file  # noqa: PLC0415 (seconds of import that other trials are spared)

    try:
        found = {name: str(cached_file(source, name)) for name in ("config.json", "model.safetensors")}
        config = json.loads(Path(found["config.json"]).read_text(encoding="utf-8"))
        tensors = load_file(found["model.safetensors"])
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"checkpoint {source!r} cannot be loaded: {str(error).strip().partition(chr(10))[0]} "
            "(expected a hub name that can be reached or is cached, or a local folder with config.json and "
            "model.safetensors)"
        ) from error
    if config.get("model_type") != family:
        raise CheckpointError(f"checkpoint {source!r} is a {config.get('model_type')} model, expected {family}")
    return config, tensors


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: str, prefix: str) -> None:
    """Load the weights that the model has; others, such as heads of the pre-training, are left.

    Args:
        model: receives them.
        tensors: by name; names may start with `prefix`, as they do in checkpoints with heads.
        source: for messages.
        prefix: of the model inside a larger one.

    Raises:
        CheckpointError: weights are missing or of another shape; the message names them.
    """
    short = {name.removeprefix(prefix): tensor.float() for name, tensor in tensors.items()}
    wanted = model.state_dict()
    wrong = [f"{name} is missing" for name in wanted if name not in short]
    wrong += [
        f"{name} has shape {tuple(short[name].shape)}, expected {tuple(own.shape)}"
        for name, own in wanted.items()
        if name in short and short[name].shape != own.shape
    ]
    if wrong:
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise CheckpointError(f"checkpoint {source!r} does not fit: {'; '.join(wrong[:_MOST_NAMED])}{more}")
    model.load_state_dict({name: short[name] for name in wanted})
