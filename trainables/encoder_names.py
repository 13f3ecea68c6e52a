"""Encoder names in a spec: `conv_tiny`, `vit_tiny`, `vit:<hub name or folder>`."""

import hashlib
from functools import lru_cache
from pathlib import Path

from search_spaces.errors import InvalidValueError, UnknownNameError
from trainables.api import Encoder, InputInfo
from trainables.catalogs import ENCODERS

__all__ = ["build_encoder", "encoder_identity", "encoder_names"]


def encoder_names() -> tuple[str, ...]:
    """Every name that can stand in a spec; `<key>:` wants a checkpoint after the colon."""
    names: list[str] = []
    for key, cls in ENCODERS.items():
        names.extend(f"{key}_{configuration}" for configuration in cls.configurations)
        if cls.takes_checkpoint:
            names.append(f"{key}:")
        elif not cls.configurations:
            names.append(key)
    return tuple(names)


def _parse(name: str) -> tuple[type[Encoder], str | None]:
    key, colon, checkpoint = name.partition(":")
    if colon and key in ENCODERS and checkpoint and ENCODERS.get(key).takes_checkpoint:
        _check_checkpoint(name, key, checkpoint)
        return ENCODERS.get(key), checkpoint
    family, _, configuration = name.rpartition("_")
    if family in ENCODERS and configuration in ENCODERS.get(family).configurations:
        return ENCODERS.get(family), configuration
    if name in ENCODERS and name in encoder_names():
        return ENCODERS.get(name), None
    raise UnknownNameError("encoder", name, encoder_names())


def _check_checkpoint(name: str, key: str, checkpoint: str) -> None:
    if checkpoint in ENCODERS.get(key).configurations:
        raise InvalidValueError("encoder", name, f"{key}_{checkpoint} for the small configuration of that name")
    if Path(checkpoint).is_dir() and not Path(checkpoint).is_absolute():
        raise InvalidValueError("encoder", name, f"an absolute folder, {key}:{Path(checkpoint).absolute()}")


def build_encoder(name: str, info: InputInfo) -> Encoder:
    """Build an encoder by name for inputs that look like `info`.

    Raises:
        UnknownNameError: there is no such encoder.
        InvalidValueError: it does not accept this kind of input.
    """
    cls, source = _parse(name)
    _check_kind(name, cls, info)
    return cls(info, source)


def encoder_identity(name: str, info: InputInfo) -> str:
    """Return what stands for an encoder in a trial's id: its name and version; for a local folder, its content."""
    cls, source = _parse(name)
    _check_kind(name, cls, info)
    if source and ":" in name and Path(source).is_dir():
        return f"{name.partition(':')[0]}:{_folder_hash(str(Path(source).resolve()))}/{cls.version}"
    return f"{name}/{cls.version}"


def _check_kind(name: str, cls: type[Encoder], info: InputInfo) -> None:
    if info.kind not in cls.accepts:
        raise InvalidValueError("encoder", name, f"one for {info.kind} inputs; this one reads {', '.join(cls.accepts)}")


@lru_cache(maxsize=64)
def _folder_hash(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(folder).glob("*")):
        if path.name == "config.json" or path.suffix == ".safetensors":
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
