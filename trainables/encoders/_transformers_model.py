"""Encoders of the transformers library: one way for small random ones and for published checkpoints."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from search_spaces.errors import InvalidValueError, MmptError
from trainables.api import InputInfo

__all__ = ["CheckpointError", "check_fits", "check_weights", "make_model", "split_revision"]

_MOST_NAMED = 10


class CheckpointError(MmptError):
    """Published weights that cannot be loaded."""


def make_model(family: str, source: str | None, config: Mapping[str, Any] | None, **options: Any) -> Any:
    """Return a model of a family (`ViT`, `AST`, `Bert`) in float32.

    Args:
        family: what the library calls the architecture.
        source: hub name, `@revision` at its end if one is wanted, or local folder; read if `config` is None.
        config: settings of a model with random weights.
        options: arguments of the model's constructor.

    Raises:
        CheckpointError: there is no such checkpoint, the hub cannot be reached, it is of another family or its weights
            do not fit.
    """
    import transformers  # noqa: PLC0415 (seconds of import that trials with tiny encoders are spared)

    config_class, model_class = getattr(transformers, f"{family}Config"), getattr(transformers, f"{family}Model")
    if config is not None:
        return model_class(config_class(**config), **options)
    if source is None:
        raise InvalidValueError("encoder", source, "a configuration or a checkpoint")
    place, revision = split_revision(source)
    try:
        found = transformers.AutoConfig.from_pretrained(place, revision=revision).model_type
        if found != config_class.model_type:
            raise CheckpointError(f"checkpoint {source!r} is a {found} model, expected {config_class.model_type}")
        # Only safetensors, since other formats can run code; float32 whatever the checkpoint was saved in.
        model, report = model_class.from_pretrained(
            place,
            revision=revision,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that the message below can name them
            **options,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(
            f"checkpoint {source!r} cannot be loaded: {reason} "
            "(expected a hub name that can be reached or is cached, or a local folder with config.json and safetensors)"
        ) from error
    shapes = {name: (found_shape, expected) for name, found_shape, expected in report["mismatched_keys"]}
    check_weights(source, report["missing_keys"], shapes)
    return model.train()


def check_weights(source: str, missing: Iterable[str], shapes: Mapping[str, tuple[Any, Any]]) -> None:
    """Check that a checkpoint lacks nothing and has every weight in the expected shape.

    Args:
        source: for the message.
        missing: weights that it lacks.
        shapes: weights of another shape: (found, expected).

    Raises:
        CheckpointError: it does not fit; the message names the weights, with both shapes.
    """
    wrong = [f"{name} is missing" for name in sorted(missing)]
    wrong += [f"{name} has shape {tuple(got)}, expected {tuple(want)}" for name, (got, want) in sorted(shapes.items())]
    if wrong:
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise CheckpointError(f"checkpoint {source!r} does not fit: {'; '.join(wrong[:_MOST_NAMED])}{more}")


def split_revision(source: str) -> tuple[str, str | None]:
    """Return a checkpoint's place and, of a hub name with one (`name@revision`), its revision."""
    name, _, revision = source.partition("@")
    return (source, None) if Path(source).is_dir() or not revision else (name, revision)


def check_fits(source: str | None, info: InputInfo, **sizes: tuple[Any, Any]) -> None:
    """Compare (checkpoint's, input's) sizes.

    Raises:
        InvalidValueError: one differs; the message names both.
    """
    for what, (of_checkpoint, of_input) in sizes.items():
        if of_checkpoint != of_input:
            allowed = f"a checkpoint for {info.kind} inputs with {what} {of_input}; this one has {what} {of_checkpoint}"
            raise InvalidValueError("encoder", source, allowed)
