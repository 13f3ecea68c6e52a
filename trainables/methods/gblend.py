"""Gradient blending: every head's loss is weighted by how well it generalises in a training of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from search_spaces.modality import Pattern
from search_spaces.spec import TrialSpec
from trainables.api import Batch, DataInfo, Features, Fusion, MethodCard, Rehearsal, Rehearsed, Term
from trainables.methods._blending import RULES, blend_weights, blending_facts, divided
from trainables.methods.mtl import Mtl
from trainables.params import one_of

__all__ = ["Gblend"]


@dataclass(frozen=True)
class GblendHyperparameters:
    """Attributes: rule: how weights are made of losses; all but the first are other public estimators."""

    rule: str = one_of(*RULES)


class Gblend(Mtl):
    """L = sum_k w_k l_k over the joint head and one per modality, w_k = max(G_k, 0) / max(O_k^2, 1e-6) / sum.

    G_k = V_k - V_k', O_k = (V_k' - T_k') - (V_k - T_k), with T_k the loss l(s_k, y) on nine tenths of train, V_k on the
    rest, before and after (') training head k alone for as long as the trial; then all starts again. Source: Wang et
    al. 2020 (offline), as used by MMPT section 4.1. Losses average over samples with their modalities; a head without
    any has weight 0. A joint head of weight 0 predicts nothing, the others choose the epoch.
    """

    card = MethodCard(
        title="G-Blend",
        paper="Wang et al. 2020, as used by MMPT",
        idea="Weight the joint and the unimodal losses by generalisation gained per squared overfitting.",
        cost=("3", "2 + (M + 1)"),
        missing_at_test="probe of what is available; auxiliary head of a single modality",
    )
    Hyperparameters = GblendHyperparameters

    def __init__(self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: GblendHyperparameters) -> None:
        super().__init__(spec, info, fusion, hyperparameters)
        self.terms = ("joint", *self.heads)
        self.blend = nn.Buffer(torch.full((len(self.terms),), 1 / len(self.terms)))

    def term_weights(self) -> Mapping[str, Tensor]:
        """Return w_k, uniform at first."""
        return dict(zip(self.terms, self.blend, strict=True))

    def rehearsals(self, available: npt.NDArray[np.bool_], targets: npt.NDArray[np.int64]) -> Sequence[Rehearsal]:
        """Return one training per head that has samples on both sides."""
        return [
            Rehearsal(term=term, loss=partial(self._loss, shown), pattern=shown, train_rows=train, held_out_rows=held)
            for term, shown, train, held in divided(available, targets, self.spec.seed, self.info.modalities)
        ]

    def _loss(self, shown: Pattern, features: Features, batch: Batch) -> Term | None:
        return self.term(self.own_logits(features, shown), batch, *shown)

    def learn(self, rehearsed: Mapping[str, Rehearsed]) -> Mapping[str, float]:
        """Set the weights; the history gets them and the raw G and O."""
        known = blend_weights(rehearsed, self.hyperparameters.rule, self.spec.batch_size)
        self.blend.copy_(torch.tensor([known.get(term, 0.0) for term in self.terms], dtype=torch.float64))
        return blending_facts({**dict.fromkeys(self.terms, 0.0), **known}, rehearsed)

    def judged_by(self, main: Pattern) -> Sequence[Pattern]:
        """Judge by the heads that are trained where the joint one is not."""
        trained = [name for name, weight in self.term_weights().items() if weight > 0]
        return [main] if "joint" in trained else [Pattern([name]) for name in trained]

    def predict(self, features: Features, pattern: Pattern) -> Tensor | None:
        """Predict as MTL does, but nothing by a joint head that is not trained."""
        return self.own_logits(features, pattern) if len(pattern) == 1 or self.blend[0] > 0 else None
