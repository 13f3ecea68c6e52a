"""Multi-task learning: the joint task plus one auxiliary task per modality."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from search_spaces.modality import Pattern
from search_spaces.mtl_weights import MMPT_FACTORS
from search_spaces.spec import TrialSpec
from trainables.api import Batch, DataInfo, Features, Fusion, Method, MethodCard, Term
from trainables.params import per_modality

__all__ = ["Mtl"]


@dataclass(frozen=True)
class MtlHyperparameters:
    """Attributes: weight: alpha_m of each modality's auxiliary loss; the joint loss has weight 1."""

    weight: Mapping[str, float] = per_modality(0.5, 0.0, 100.0, search=MMPT_FACTORS)


class Mtl(Method):
    """L = l(s, y) + sum_m alpha_m l(z^m V_m^T + c_m, y), with a head V_m of its own per modality.

    Source: MMPT section 4.1, after Ma et al. 2022. The joint term uses complete samples, each auxiliary term every
    sample that has its modality; in early fusion z^m is that of the modality alone.
    """

    card = MethodCard(
        title="MTL",
        paper="Ma et al. 2022, as used by MMPT",
        idea="Add one classification loss per modality, on heads of their own, to the joint loss.",
        cost=("1", "2"),
        missing_at_test="probe of what is available; auxiliary head of a single modality",
    )
    Hyperparameters: ClassVar[type[Any]] = MtlHyperparameters
    needs_complete = False

    def __init__(self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: Any) -> None:
        super().__init__(spec, info, fusion, hyperparameters)
        self.heads = nn.ModuleDict({name: nn.Linear(width, info.num_classes) for name, width in fusion.widths.items()})

    def term_weights(self) -> Mapping[str, float | Tensor]:
        """Return each term's weight."""
        return {"joint": 1.0, **self.hyperparameters.weight}

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term and one term per modality."""
        weights, fused = self.term_weights(), self.fusion.fused_logits(features)
        terms = {"joint": self.term(fused, batch, *self.info.modalities, weight=weights["joint"])}
        alone = self.fusion.alone(features, batch)
        for name, head in self.heads.items():
            terms[name] = self.term(head(alone[name]), batch, name, weight=weights[name])
        return {name: term for name, term in terms.items() if term}

    def own_logits(self, features: Features, pattern: Pattern) -> Tensor:
        """Use the auxiliary head of a modality that is alone, else the joint head."""
        if len(pattern) == 1 and len(self.info.modalities) > 1:
            logits: Tensor = self.heads[pattern[0]](features[pattern[0]])
            return logits
        return self.fusion.fused_logits(features)

    def predict(self, features: Features, pattern: Pattern) -> Tensor | None:
        """Predict with the heads that are trained."""
        return self.own_logits(features, pattern)
