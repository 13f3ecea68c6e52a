"""The contract of a fusion: from a batch to a representation per modality, and the head on all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from trainables.api_data import Dataset, InputInfo
from trainables.api_model import Batch, Features

__all__ = ["Fusion"]

Spread = Callable[[int, Callable[[slice], Tensor]], Tensor]


def _in_one_piece(count: int, compute: Callable[[slice], Tensor]) -> Tensor:
    return compute(slice(0, count))


class Fusion(nn.Module, ABC):
    """What turns a batch into a representation per modality, and a joint head.

    Args:
        encoders: what it is made of, by the names under which a spec's `encoders` has it.
        widths: modality -> width of z, in the order of concatenation.
        num_classes: outputs of the head.

    Attributes:
        head: linear map from the concatenated z to (B, C).
        autocast: the trial's precision, for passes that a method asks for.
        spread: gives (B, ...) from the number of rows B and what computes a slice of them; passes through encoders go
            through it, since workers of a trial share their rows (see `trainables.workers.Workers.spread`).
    """

    version: ClassVar[str] = "1"
    depends_on_pattern: ClassVar[bool]
    """False where z of a modality is the same whatever else is available, so that it is computed once."""

    def __init__(self, encoders: Mapping[str, nn.Module], widths: Mapping[str, int], num_classes: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.widths = dict(widths)
        self.head = nn.Linear(sum(self.widths.values()), num_classes)
        self.autocast: Callable[[], AbstractContextManager[object]] = nullcontext
        self.spread: Spread = _in_one_piece

    # What planning asks.

    @classmethod
    @abstractmethod
    def parts(cls, dataset: type[Dataset], used: tuple[str, ...]) -> Mapping[str, str | None]:
        """Return the names under which a spec's `encoders` has its parts, and the data set's default for each."""

    @classmethod
    @abstractmethod
    def identities(cls, names: Mapping[str, str], inputs: Mapping[str, InputInfo]) -> dict[str, str]:
        """Return what stands for its parts in a trial's id.

        Raises:
            UnknownNameError, InvalidValueError: there is no such part, or it does not accept the data's modalities.
        """

    @classmethod
    @abstractmethod
    def build(
        cls, names: Mapping[str, str], inputs: Mapping[str, InputInfo], used: tuple[str, ...], num_classes: int
    ) -> Self:
        """Build it for the `used` ones of all the data's modalities."""

    # What training asks.

    @abstractmethod
    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Return z (B, width) per modality of the inputs; rows that lack the modality are zero.

        A row with a single modality gets the z that `alone` gives it.
        """

    @abstractmethod
    def alone(self, features: Features, batch: Batch) -> Features:
        """Return z per modality as if each were the only one, from the batch and its `encode` features."""

    def only(self, modality: str) -> Self:
        """Return a copy of what makes z of one modality alone, without a head: a teacher of that modality."""
        single = deepcopy(self)
        single.widths = {modality: self.widths[modality]}
        del single.head
        return single

    def owners(self) -> dict[str, list[nn.Parameter]]:
        """Return the trainable parameters by owner: each modality's encoder, `shared` by modalities, `head`."""
        own = {name: list(encoder.parameters()) for name, encoder in self.encoders.items()}
        own["head"] = list(self.head.parameters())
        known = {parameter for parameters in own.values() for parameter in parameters}
        own["shared"] = [parameter for parameter in self.parameters() if parameter not in known]
        return {name: [item for item in items if item.requires_grad] for name, items in own.items()}

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
