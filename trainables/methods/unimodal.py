"""The unimodal expert: one modality trained alone, the reference that joint training is measured against."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from search_spaces.modality import Pattern
from trainables.api import Batch, Features, Method, MethodCard, Term
from trainables.params import a_modality

__all__ = ["Unimodal"]


@dataclass(frozen=True)
class UnimodalHyperparameters:
    """Attributes: modality: the one that is trained."""

    modality: str = a_modality()


class Unimodal(Method):
    """L_m = l(z^m V_m^T + c_m, y) over every sample that has modality m.

    Source: MMPT section 4.1. One trial per modality; it has no score when several modalities are available.
    """

    fewest_modalities = 1
    card = MethodCard(
        title="Unimodal",
        paper="MMPT",
        idea="Train each modality alone; also the teacher of others.",
        cost=("1 for all M trials", "1 for all M trials"),
        missing_in_training="used by the trials of the modalities it has",
        missing_at_test="probe of its modality; its own head",
    )
    Hyperparameters = UnimodalHyperparameters

    @classmethod
    def uses(cls, hyperparameters: UnimodalHyperparameters, modalities: tuple[str, ...]) -> tuple[str, ...]:
        """Return just the one modality."""
        del modalities
        return (hyperparameters.modality,)

    def usable(self, available: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Use every sample that has the modality, complete or not."""
        return np.asarray(available[:, self.info.modalities.index(self.hyperparameters.modality)])

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the one term, named like the modality."""
        modality = self.hyperparameters.modality
        own = self.term(self.fusion.fused_logits(features), batch, modality)
        return {modality: own} if own else {}

    def predict(self, features: Features, pattern: Pattern) -> Tensor | None:
        """Predict only where the modality is all there is."""
        return self.fusion.fused_logits(features) if pattern == (self.hyperparameters.modality,) else None
