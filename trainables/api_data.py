"""The contract of a data set: what it is, what identifies it, and how it becomes arrays."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from search_spaces.spec import Value

__all__ = ["DataInfo", "Dataset", "DatasetCard", "InputInfo", "Kind", "NoParams", "RawData", "Storage"]

Kind = Literal["image", "audio", "text", "vector"]
_CLIP_AXES = 4


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How a modality lies in the cache where that is not how an encoder gets it: smaller types, less padding.

    On the device, `stored * scale + shift` is padded at the end of its last axis to the encoder's shape.

    Attributes:
        dtype: NumPy's name of the stored type.
        shape: of one stored sample.
        scale: one number, or one per entry of the first axis (after that of frames); where that axis has one entry
            only, for instance of a grey image, it is repeated for every number.
        shift: likewise.
        padding: value of what is added at the end, as an encoder gets it.
    """

    dtype: str
    shape: tuple[int, ...]
    scale: tuple[float, ...] = (1.0,)
    shift: tuple[float, ...] = (0.0,)
    padding: float = 0.0

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one stored sample."""
        return np.dtype(self.dtype).itemsize * math.prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class InputInfo:
    """What one modality of one sample looks like to an encoder.

    Attributes:
        kind: `image` (channels, height, width) floats, or (frames, channels, height, width) of a clip; `audio` (bands,
            frames) log-mel floats; `text` (tokens,) integers padded with 0; `vector` (features,) floats.
        shape: of one sample.
        vocabulary_size: number of token ids; only for text.
        storage: how it is stored, if not as float32 (text: int64) of this shape.
    """

    kind: Kind
    shape: tuple[int, ...]
    vocabulary_size: int | None = None
    storage: Storage | None = None

    @property
    def is_clip(self) -> bool:
        """Whether it is an image modality of several frames."""
        return self.kind == "image" and len(self.shape) == _CLIP_AXES

    @property
    def stored(self) -> Storage:
        """How it is stored, spelled out."""
        return self.storage or Storage(dtype="int64" if self.kind == "text" else "float32", shape=self.shape)


@dataclass(frozen=True, kw_only=True)
class DataInfo:
    """What a method may know about the data: shapes and classes, never samples.

    Attributes:
        dataset: its key.
        inputs: modality -> what an encoder gets.
        class_names: one per class.
        multi_label: whether a sample may have any number of classes.
        scored_by: `sample`, or `group` if a group's logits are averaged over its samples before they are stored and
            scored, as where a film has several plots.
    """

    dataset: str
    inputs: Mapping[str, InputInfo]
    class_names: Sequence[str]
    multi_label: bool = False
    scored_by: Literal["sample", "group"] = "sample"

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities in alphabetical order, the order of every mask's columns and of concatenated features."""
        return tuple(sorted(self.inputs))

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


@dataclass(frozen=True, kw_only=True)
class RawData:
    """A decoded data set, N samples in a fixed order.

    Attributes:
        sample_ids: unique and stable: masks are drawn from them.
        splits: "train", "val" or "test" per sample; all three occur.
        groups: what must not be shared between splits (speaker, film, tweet), or "" per sample.
        targets: (N,) class numbers, or (N, C) zeros and ones if multi-label.
        inputs: modality -> (N, *stored shape) array of the stored type: see `InputInfo.stored`.
        present: modality -> (N,) True where the sample really has it; modalities not named are always there.
    """

    sample_ids: Sequence[str]
    splits: Sequence[str]
    groups: Sequence[str]
    targets: npt.NDArray[np.int64]
    inputs: Mapping[str, npt.NDArray[Any]]
    present: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """What `mmpt show` prints about a data set."""

    title: str
    task: str
    licence: str
    source: str
    notes: str = ""


@dataclass(frozen=True)
class NoParams:
    """Parameters of something that has none."""


class Dataset(ABC):
    """A data set: what identifies its content, and how it becomes arrays.

    A file `trainables/datasets/<key>.py` holds one subclass named like the file in CamelCase.

    Args:
        params: an instance of `Params`.
    """

    version: ClassVar[str] = "1"
    """Raise it whenever the same files give other arrays; every dependent trial id changes."""
    card: ClassVar[DatasetCard]
    Params: ClassVar[type[Any]] = NoParams
    presets: ClassVar[Mapping[str, Mapping[str, Value]]] = MappingProxyType({})
    """Settings of the parameters by name; `default` and `tiny` exist without being named here (see `expand_preset`)."""
    default_encoders: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """modality -> encoder used in late fusion when a spec names none."""
    default_backbone: ClassVar[str] = "tokens_tiny"
    """Backbone used in early fusion when a spec names none."""

    def __init__(self, params: Any) -> None:
        self.params = params

    @classmethod
    @abstractmethod
    def modalities(cls) -> tuple[str, ...]:
        """Its modalities."""

    @abstractmethod
    def info(self) -> DataInfo:
        """Shapes and classes, without reading any sample."""

    @abstractmethod
    def content(self) -> Mapping[str, str]:
        """File name -> SHA-256 of everything the arrays are made from; cheap, since planning calls it."""

    @abstractmethod
    def load(self) -> RawData:
        """Read and decode everything."""
