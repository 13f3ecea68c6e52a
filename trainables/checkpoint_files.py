"""Whether published weights can be had on this machine, found out without loading or downloading them."""

from pathlib import Path

from trainables.encoders._transformers_model import CheckpointError, split_revision

__all__ = ["find_checkpoint"]

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


def find_checkpoint(source: str) -> str:
    """Say where this machine gets a checkpoint from: its own folder, what was downloaded before, or the hub.

    Raises:
        CheckpointError: from nowhere; the message says what is missing.
    """
    from transformers.utils.hub import has_file  # noqa: PLC0415 (seconds of import that tiny encoders are spared)

    place, revision = split_revision(source)
    try:
        for where, is_local in (("in the local cache", True), ("to be downloaded from the hub", False)):
            there = [name for name in _WEIGHTS if has_file(place, name, revision=revision, local_files_only=is_local)]
            if there and has_file(place, "config.json", revision=revision, local_files_only=is_local):
                return "in its folder" if Path(place).is_dir() else where
    except (OSError, ValueError) as error:
        raise CheckpointError(f"checkpoint {source!r}: {str(error).strip().partition(chr(10))[0]}") from error
    raise CheckpointError(
        f"checkpoint {source!r} is no folder with config.json and model.safetensors, was not downloaded before, and no "
        "hub that can be reached has it"
    )
