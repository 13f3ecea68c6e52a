"""Multi-task learning: the joint task plus one auxiliary task per modality."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    sample that has its modality.
    """

    card = MethodCard(
        title="MTL",
        paper="Ma et al. 2022, as used by MMPT",
        idea="Add one classification loss per modality, on heads of their own, to the joint loss.",
    )
    Hyperparameters = MtlHyperparameters
    needs_complete = False

    def __init__(self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: MtlHyperparameters) -> None:
        super().__init__(spec, info, fusion, hyperparameters)
        self.heads = nn.ModuleDict({name: nn.Linear(width, info.num_classes) for name, width in fusion.widths.items()})

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term and one term per modality."""
        terms = {"joint": self.term(self.fusion.fused_logits(features), batch, *self.info.modalities)}
        for name, weight in self.hyperparameters.weight.items():
            terms[name] = self.term(self.heads[name](features[name]), batch, name, weight=weight)
        return {name: term for name, term in terms.items() if term}

    def predict(self, features: Features, pattern: Pattern) -> Tensor | None:
        """Use the auxiliary head of a modality that is alone, else the joint head."""
        if len(pattern) == 1 and len(self.info.modalities) > 1:
            logits: Tensor = self.heads[pattern[0]](features[pattern[0]])
            return logits
        return self.fusion.fused_logits(features)
