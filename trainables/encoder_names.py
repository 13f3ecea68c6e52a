"""Names of encoders and backbones in a spec: `conv_tiny`, `vit_tiny`, `vit:<hub name>[@<revision>]`, `vit:<folder>`."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from search_spaces.catalog import Catalog
from search_spaces.errors import InvalidValueError, UnknownNameError
from trainables.api import Backbone, Encoder, InputInfo
from trainables.catalogs import BACKBONES, ENCODERS
from trainables.encoders._mean_of_frames import MeanOfFrames

__all__ = [
    "DEFAULT",
    "JOINT",
    "TINY",
    "backbone_identity",
    "backbone_names",
    "build_backbone",
    "build_encoder",
    "checkpoint_of",
    "encoder_identity",
    "encoder_names",
    "tiny_name",
]

JOINT = "joint"
"""Under which a spec's `encoders` has the backbone of early fusion."""

DEFAULT = "default"
"""Under which it has what the parts take that it does not name."""

TINY = "tiny"
"""In place of a name: the small random configuration of what the data set uses by default."""

Part = TypeVar("Part", type[Encoder], type[Backbone])


def encoder_names() -> tuple[str, ...]:
    """Every encoder name that can stand in a spec; `<key>:` wants a checkpoint after the colon."""
    return _names(ENCODERS)


def backbone_names() -> tuple[str, ...]:
    """Every backbone name that can stand in a spec as `encoder.joint`."""
    return _names(BACKBONES)


def tiny_name(default: str) -> str:
    """Return what `tiny` stands for; what takes no published weights is tiny already.

    >>> tiny_name("bert:bert-base-uncased"), tiny_name("conv_tiny")
    ('bert_tiny', 'conv_tiny')
    """
    family, colon, _ = default.partition(":")
    return f"{family}_{TINY}" if colon else default


def checkpoint_of(name: str) -> str | None:
    """Return the checkpoint that an encoder's name asks for: a folder, or a hub name with its revision.

    >>> checkpoint_of("bert:bert-base-uncased"), checkpoint_of("bert_tiny")
    ('bert-base-uncased', None)
    """
    return name.partition(":")[2] or None


def build_encoder(name: str, info: InputInfo) -> Encoder:
    """Build an encoder by name for inputs that look like `info`; of a clip it reads every frame, and z is their mean.

    Raises:
        UnknownNameError: there is no such encoder.
        InvalidValueError: it does not accept this kind of input.
    """
    cls, source = _parse(ENCODERS, name)
    _check_kind("encoder", name, cls, info)
    if info.is_clip:
        return MeanOfFrames(info, lambda frame: cls(frame, source))
    return cls(info, source)


def build_backbone(name: str, inputs: Mapping[str, InputInfo]) -> Backbone:
    """Build a backbone by name for the data's modalities.

    Raises:
        UnknownNameError: there is no such backbone.
        InvalidValueError: it does not accept these modalities.
    """
    cls, source = _parse(BACKBONES, name)
    _check_kinds(name, cls, inputs)
    return cls(inputs, source)


def encoder_identity(name: str, info: InputInfo) -> str:
    """Return what stands for an encoder in a trial's id: its name, with the hub's revision if it has one, and version.

    Of a local folder it is the content.
    """
    cls, source = _parse(ENCODERS, name)
    _check_kind("encoder", name, cls, info)
    identity = _identity(name, source, cls.version)
    return f"{identity}/frames {MeanOfFrames.version}" if info.is_clip else identity


def backbone_identity(name: str, inputs: Mapping[str, InputInfo]) -> str:
    """Return what stands for a backbone in a trial's id, as `encoder_identity`."""
    cls, source = _parse(BACKBONES, name)
    _check_kinds(name, cls, inputs)
    return _identity(name, source, cls.version)


def _names(catalog: Catalog[Part]) -> tuple[str, ...]:
    names: list[str] = []
    for key, cls in catalog.items():
        names.extend(f"{key}_{configuration}" for configuration in cls.configurations)
        if cls.takes_checkpoint:
            names.append(f"{key}:")
        elif _is_whole_name(cls):
            names.append(key)
    return tuple(names)


def _is_whole_name(cls: type[Encoder] | type[Backbone]) -> bool:
    return not (cls.takes_checkpoint or cls.configurations)


def _parse(catalog: Catalog[Part], name: str) -> tuple[Part, str | None]:
    key, colon, checkpoint = name.partition(":")
    if colon and key in catalog and checkpoint and catalog.get(key).takes_checkpoint:
        _check_checkpoint(catalog, name, key, checkpoint)
        return catalog.get(key), checkpoint
    family, _, configuration = name.rpartition("_")
    if family in catalog and configuration in catalog.get(family).configurations:
        return catalog.get(family), configuration
    if name in catalog and _is_whole_name(catalog.get(name)):
        return catalog.get(name), None
    raise UnknownNameError(catalog.kind, name, _names(catalog))


def _check_checkpoint(catalog: Catalog[Part], name: str, key: str, checkpoint: str) -> None:
    if checkpoint in catalog.get(key).configurations:
        raise InvalidValueError(catalog.kind, name, f"{key}_{checkpoint} for the small configuration of that name")
    if checkpoint.endswith("@") and not Path(checkpoint).is_dir():
        raise InvalidValueError(catalog.kind, name, f"a revision after @, or {name.removesuffix('@')} for the newest")
    if Path(checkpoint).is_dir() and not Path(checkpoint).is_absolute():
        raise InvalidValueError(catalog.kind, name, f"an absolute folder, {key}:{Path(checkpoint).absolute()}")


def _check_kind(what: str, name: str, cls: type[Encoder] | type[Backbone], info: InputInfo) -> None:
    if info.kind not in cls.accepts:
        raise InvalidValueError(what, name, f"one for {info.kind} inputs; this one reads {', '.join(cls.accepts)}")


def _check_kinds(name: str, cls: type[Backbone], inputs: Mapping[str, InputInfo]) -> None:
    for modality, info in inputs.items():
        _check_kind("backbone", name, cls, info)
        if info.is_clip and not cls.reads_clips:
            raise InvalidValueError("backbone", name, f"one for clips of {info.shape[0]} frames ({modality})")
    kinds = [info.kind for info in inputs.values()]
    if cls.one_of_each and len(set(kinds)) < len(kinds):
        shown = ", ".join(f"{modality} ({info.kind})" for modality, info in inputs.items())
        raise InvalidValueError("backbone", name, f"one for {shown}; this one reads one modality of a kind")


def _identity(name: str, source: str | None, version: str) -> str:
    if source and ":" in name and Path(source).is_dir():
        return f"{name.partition(':')[0]}:{_folder_hash(str(Path(source).resolve()))}/{version}"
    return f"{name}/{version}"


@lru_cache(maxsize=64)
def _folder_hash(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(folder).glob("*")):
        if path.name == "config.json" or path.suffix == ".safetensors":
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
