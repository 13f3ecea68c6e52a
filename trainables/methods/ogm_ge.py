"""On-the-fly gradient modulation with generalisation enhancement: the better modality learns more slowly."""

from dataclasses import dataclass

import torch

from trainables.api import Batch, Features, MethodCard, Term
from trainables.methods._modulation import Modulating, ModulationHyperparameters
from trainables.methods._ogm_ge_scores import RATIOS, coefficients, scores
from trainables.params import number, one_of

__all__ = ["OgmGe"]


@dataclass(frozen=True, kw_only=True)
class OgmGeHyperparameters(ModulationHyperparameters):
    """Attributes: alpha: strength; ratio: what a score is compared with, which matters from three modalities on."""

    alpha: float = number(0.3, 0.0, 100.0, search=(0.1, 0.3, 0.5, 0.8))
    ratio: str = one_of(*RATIOS)


class OgmGe(Modulating):
    """L = l(concat(z) W^T + b, y); encoder m learns from kappa_m g + N(0, std(g)), kappa_m = 1 - tanh(alpha rho_m).

    rho_m = score_m / mean score of the others, score_m = sum_i softmax(z^m_i (W^m)^T + b / M)[y_i], kappa_m = 1 if
    rho_m <= 1; in the first half of training. Source: Peng et al. 2022, as used by MMPT section 4.1. The head is never
    modulated. What kappa_m scales follows from the optimiser, see `Modulating`; the trial's spec says what it was.
    """

    card = MethodCard(
        title="OGM-GE",
        paper="Peng et al. 2022, as used by MMPT",
        idea="Slow down the encoder whose modality predicts better by itself; add noise to encoder gradients.",
        cost=("1.02", "1.02"),
    )
    Hyperparameters = OgmGeHyperparameters

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term; complete samples, which are all there are in training, decide the coefficients."""
        joint = self.term(self.fusion.fused_logits(features), batch, *self.info.modalities)
        if joint and self.active and torch.is_grad_enabled():
            with torch.no_grad():
                found = scores(self.fusion.split_logits(features), batch.targets, self.hyperparameters.ratio)
                kappa = coefficients(found, self.hyperparameters.alpha, self.hyperparameters.ratio)
            self.modulate(features, kappa)
        return {"joint": joint} if joint else {}
