"""Published weights for models that no library ships: a configuration and safetensors, checked key by key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from trainables.encoders._transformers_model import CheckpointError, check_weights, split_revision

__all__ = ["load_weights", "read_checkpoint"]


def read_checkpoint(source: str, family: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the configuration and the weights of a hub name, with `@revision` if wanted, or local folder.

    Weights are read from `model.safetensors` alone, since other formats can run code.

    Raises:
        CheckpointError: there is no such checkpoint, it cannot be read, or it is of another family.
    """
    from transformers.utils.hub import cached_file  # noqa: PLC0415 (seconds of import that other trials are spared)

    place, revision = split_revision(source)
    try:
        found = {
            name: str(cached_file(place, name, revision=revision)) for name in ("config.json", "model.safetensors")
        }
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
    shapes = {name: (short[name].shape, own.shape) for name, own in wanted.items() if name in short}
    check_weights(source, wanted.keys() - short.keys(), {name: two for name, two in shapes.items() if two[0] != two[1]})
    model.load_state_dict({name: short[name] for name in wanted})
