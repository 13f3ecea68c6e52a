"""The contracts: what a data set, an encoder, a fusion and a training method are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from search_spaces.modality import Pattern, patterns
from search_spaces.spec import TrialSpec

__all__ = [
    "Batch",
    "DataInfo",
    "Dataset",
    "DatasetCard",
    "Encoder",
    "Features",
    "Fusion",
    "InputInfo",
    "Method",
    "MethodCard",
    "RawData",
    "Term",
]

Kind = Literal["image", "audio", "text", "vector"]
Features = Mapping[str, Tensor]
"""modality -> pooled representation z (B, width)."""


# -- data ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class InputInfo:
    """What one modality of one sample looks like to an encoder.

    Attributes:
        kind: `image` (channels, height, width) floats; `audio` (bands, frames) log-mel floats; `text` (tokens,)
            integers padded with 0; `vector` (features,) floats.
        shape: of one sample.
        vocabulary_size: number of token ids; only for text.
    """

    kind: Kind
    shape: tuple[int, ...]
    vocabulary_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class DataInfo:
    """What a method may know about the data: shapes and classes, never samples."""

    dataset: str
    inputs: Mapping[str, InputInfo]
    class_names: Sequence[str]
    multi_label: bool = False

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
        inputs: modality -> (N, *shape) array; float32 or, for text, int64.
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
    default_encoders: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """modality -> encoder used when a spec names none."""

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


# -- one batch -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Batch:
    """B samples. What is missing is not there at all, so no method can look at it.

    Attributes:
        inputs: modality -> (B_m, *shape), only the rows that have the modality.
        available: (B, M) on the host; columns in the order of `modalities`.
        modalities: alphabetical.
        targets: (B,) or (B, C), on the device.
    """

    inputs: Mapping[str, Tensor]
    available: npt.NDArray[np.bool_]
    modalities: tuple[str, ...]
    targets: Tensor

    def rows(self, *modalities: str) -> Tensor | None:
        """Return the rows that have all given modalities as a device index, or None if every row has."""
        columns = [self.modalities.index(name) for name in modalities]
        has = self.available[:, columns].all(axis=1)
        if has.all():
            return None
        return torch.from_numpy(np.flatnonzero(has)).to(self.targets.device, non_blocking=True)

    def __len__(self) -> int:
        return len(self.available)


# -- models ----------------------------------------------------------------------------------------------------------


class Encoder(nn.Module, ABC):
    """phi: one modality's input to its pooled representation.

    A file `trainables/encoders/<key>.py` holds one subclass. A spec names it `<key>`, `<key>_<configuration>` for one
    of its small random configurations, or `<key>:<checkpoint>` for published weights (a hub name or a local folder).

    Args:
        info: what the inputs look like.
        source: name of a configuration, a checkpoint, or None.

    Attributes:
        width: features of z.
    """

    version: ClassVar[str] = "1"
    accepts: ClassVar[tuple[Kind, ...]]
    configurations: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    takes_checkpoint: ClassVar[bool] = False
    width: int

    @abstractmethod
    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, *shape) to z (B, width)."""


class Fusion(nn.Module, ABC):
    """Encoders and a joint head.

    Args:
        encoders: modality -> encoder, in the order of concatenation.
        num_classes: outputs of the head.

    Attributes:
        widths: modality -> width of z, in the order of concatenation.
        head: linear map from the concatenated z to (B, C).
    """

    version: ClassVar[str] = "1"
    depends_on_pattern: ClassVar[bool]
    """False where z of a modality is the same whatever else is available, so that it is computed once."""

    def __init__(self, encoders: Mapping[str, Encoder], num_classes: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.widths = {name: encoder.width for name, encoder in encoders.items()}
        self.head = nn.Linear(sum(self.widths.values()), num_classes)

    @abstractmethod
    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Return z (B, width) per modality; rows that lack the modality are zero."""

    def fused_logits(self, features: Features) -> Tensor:
        """Return s = concat(z) W^T + b, shape (B, C); modalities that `features` lacks count as zero vectors."""
        first = next(iter(features.values()))
        parts = [
            features[name] if name in features else first.new_zeros(len(first), width)
            for name, width in self.widths.items()
        ]
        logits: Tensor = self.head(torch.cat(parts, dim=1))
        return logits

    def split_logits(self, features: Features) -> dict[str, Tensor]:
        """Return s^m = z^m (W^m)^T + b / M per modality; over all modalities they sum to the fused logits."""
        columns = torch.split(self.head.weight, list(self.widths.values()), dim=1)
        blocks = dict(zip(self.widths, columns, strict=True))
        share = self.head.bias / len(self.widths)
        return {name: z @ blocks[name].T + share for name, z in features.items()}


# -- methods ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One term of a training loss: its mean over `count` samples, and its weight in the sum."""

    mean: Tensor
    count: int
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MethodCard:
    """What `mmpt show` prints about a method, and its name in tables."""

    title: str
    paper: str
    idea: str


class Method(nn.Module, ABC):
    """A training method: its loss, its own heads and how it predicts. Everything else belongs to the testbed.

    A file `trainables/methods/<key>.py` holds one subclass; its docstring has the equation.

    Args:
        spec: the resolved trial.
        info: the data's shapes and classes.
        fusion: encoders of `uses(...)` and the joint head.
        hyperparameters: an instance of `Hyperparameters`.
    """

    version: ClassVar[str] = "1"
    """Raise it whenever the same spec gives other numbers."""
    card: ClassVar[MethodCard]
    Hyperparameters: ClassVar[type[Any]] = NoParams

    def __init__(self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: Any) -> None:
        super().__init__()
        self.spec = spec
        self.info = info
        self.fusion = fusion
        self.hyperparameters = hyperparameters

    # What planning asks, without building anything.

    @classmethod
    def uses(cls, hyperparameters: Any, modalities: tuple[str, ...]) -> tuple[str, ...]:
        """Modalities that the method trains on; the others' missing rates do not matter to it."""
        del hyperparameters
        return modalities

    @classmethod
    def reports(cls, hyperparameters: Any, modalities: tuple[str, ...]) -> tuple[Pattern, ...]:
        """Patterns for which this trial stands in the method's profile, its main task first."""
        return patterns(cls.uses(hyperparameters, modalities))

    @classmethod
    def requires(cls, spec: TrialSpec, hyperparameters: Any, modalities: tuple[str, ...]) -> Mapping[str, TrialSpec]:
        """Trials that must be finished first, by the name under which their weights reach `receive`."""
        del spec, hyperparameters, modalities
        return {}

    # What training asks.

    def receive(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take the weights (`state_dict`) of the required trials, by the names of `requires`."""
        assert not weights, "a method that requires trials takes their weights"

    def usable(self, available: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which training samples any loss term uses, (N,), from (N, M): by default the complete ones."""
        return np.asarray(available.all(axis=1))

    @abstractmethod
    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the named loss terms of one batch; a term without samples is left out."""

    def before_step(self) -> None:
        """Act between backward and step, for instance on gradients."""

    def predict(self, features: Features, pattern: Pattern) -> Tensor | None:
        """The method's own logits (B, C) when `pattern` is available, or None if it does not predict then.

        `features` holds exactly the pattern's modalities; the default fills the others with zero features.
        """
        del pattern
        return self.fusion.fused_logits(features)

    # What every loss needs.

    def criterion(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy, or mean binary cross-entropy over samples and classes if multi-label."""
        if self.info.multi_label:
            return nn.functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))
        return nn.functional.cross_entropy(logits, targets)

    def term(self, logits: Tensor, batch: Batch, *modalities: str, weight: float = 1.0) -> Term | None:
        """Return the criterion averaged over the rows that have all given modalities; None if there are none."""
        rows = batch.rows(*modalities)
        if rows is None:
            return Term(self.criterion(logits, batch.targets), len(batch), weight)
        if len(rows) == 0:
            return None
        return Term(self.criterion(logits[rows], batch.targets[rows]), len(rows), weight)
