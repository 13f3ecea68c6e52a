"""Modality dropout: one fixed modality is removed at random during training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from search_spaces.modality import Pattern, patterns
from trainables.api import Batch, Features, Method, MethodCard, Term
from trainables.params import a_modality, number

__all__ = ["Dropout", "drop_features"]


@dataclass(frozen=True)
class DropoutHyperparameters:
    """Attributes: modality: the one that is dropped; p: how often."""

    modality: str = a_modality()
    p: float = number(0.5, 0.0, 1.0, search=(0.3, 0.5, 0.7))


class Dropout(Method):
    """L = l(concat(z~) W^T + b, y), z~^m_i = keep_i z^m_i, keep_i ~ Bernoulli(1 - p) for one fixed modality m.

    Source: MMPT section 4.1, after ModDrop. The pooled feature is zeroed, without rescaling by 1 / (1 - p); a
    training sample that really lacks m counts as dropped. In early fusion the dropped modality's tokens are no keys
    either, so that the others' features do not know them. One trial per droppable modality: it stands for the
    patterns without m, and for "Both" if its validation score is the best among those trials.
    """

    card = MethodCard(
        title="Dropout",
        paper="Neverova et al. 2016; Xiao et al. 2020, as used by MMPT",
        idea="Zero one fixed modality's feature with probability p; one trial per droppable modality.",
        cost=("M, one trial per modality", "M, one trial per modality"),
        missing_in_training="used as a dropped sample if it lacks just the dropped modality",
    )
    Hyperparameters = DropoutHyperparameters

    @classmethod
    def reports(cls, hyperparameters: DropoutHyperparameters, modalities: tuple[str, ...]) -> tuple[Pattern, ...]:
        """Return the full pattern and every pattern without the dropped modality."""
        every = patterns(modalities)
        return (every[0], *(pattern for pattern in every[1:] if hyperparameters.modality not in pattern))

    def usable(self, available: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Use every sample that has all the other modalities."""
        others = [name != self.hyperparameters.modality for name in self.info.modalities]
        return np.asarray(available[:, others].all(axis=1))

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """In training, drop before the modalities meet, where they meet before they are features."""
        if self.training and self.fusion.depends_on_pattern:
            lost = (torch.rand(len(batch)) < self.hyperparameters.p).numpy()
            batch = batch.without(self.hyperparameters.modality, lost)
        return super().encode(batch)

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term over samples whose other modalities are all there."""
        modality, kept = self.hyperparameters.modality, features
        if not self.fusion.depends_on_pattern:
            draws = torch.rand(len(batch), device=batch.targets.device)
            kept = {**features, modality: drop_features(features[modality], draws, self.hyperparameters.p)}
        others = [name for name in self.info.modalities if name != modality]
        joint = self.term(self.fusion.fused_logits(kept), batch, *others)
        return {"joint": joint} if joint else {}


def drop_features(features: Tensor, draws: Tensor, p: float) -> Tensor:
    """Zero the rows (B, width) whose uniform draw (B,) is below p."""
    return features * (draws >= p).unsqueeze(1).to(features.dtype)
