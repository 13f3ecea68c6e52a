"""Uni-modal teacher: each encoder of the joint model is pulled towards a frozen unimodal expert."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_spaces.spec import TrialSpec
from trainables.api import Batch, Features, Fusion, Method, MethodCard, Term
from trainables.params import number

__all__ = ["Umt"]


@dataclass(frozen=True)
class UmtHyperparameters:
    """Attributes: weight: lambda of the distillation; 768 is the squared distance of 768-wide features."""

    weight: float = number(10.0, 0.0, 1e6, search=(1.0, 10.0, 50.0, 768.0))


class Umt(Method):
    """L = l(s, y) + lambda sum_m mean((z^m - zbar^m) ** 2), zbar^m from the frozen unimodal expert of modality m.

    Source: Du et al. 2021, as used by MMPT section 4.1; the mean is over samples and features. The joint term uses
    complete samples, each distillation every sample that has its modality. The student starts from its own weights.
    In early fusion both z^m and zbar^m are those of the modality alone.
    """

    card = MethodCard(
        title="UMT",
        paper="Du et al. 2021, as used by MMPT",
        idea="Distil the features of frozen unimodal experts into the encoders of the joint model.",
        cost=("1.35", "2.35"),
    )
    Hyperparameters = UmtHyperparameters
    needs_complete = False

    @classmethod
    def requires(
        cls, spec: TrialSpec, hyperparameters: UmtHyperparameters, modalities: tuple[str, ...]
    ) -> Mapping[str, TrialSpec]:
        """Return one unimodal expert per modality, trained like the student."""
        del hyperparameters
        return {name: spec.replace(method="unimodal", method_params={"modality": name}) for name in modalities}

    def receive(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Make frozen teachers of the experts without their heads."""
        for name, expert in weights.items():
            teacher = self.fusion.only(name).requires_grad_(requires_grad=False).eval()
            teacher.load_state_dict({key: expert[f"fusion.{key}"] for key in teacher.state_dict()})
            self.frozen[name] = teacher

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term and one distillation per modality."""
        joint = self.term(self.fusion.fused_logits(features), batch, *self.info.modalities)
        terms = {"joint": joint} if joint else {}
        alone = self.fusion.alone(features, batch)
        for name, teacher in self.frozen.items():
            assert isinstance(teacher, Fusion)
            count, rows = len(batch.inputs[name]), batch.rows(name)
            if count:
                with torch.no_grad(), self.fusion.autocast():
                    target = teacher.encode(batch)[name].to(alone[name].dtype)
                pair = (alone[name], target) if rows is None else (alone[name][rows], target[rows])
                distance = nn.functional.mse_loss(*pair)
                terms[f"distil_{name}"] = Term(distance, count, self.hyperparameters.weight)
        return terms
