"""Feature imputation: a trained model serves a missing modality with features made up from the available ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from search_spaces.modality import Pattern, patterns
from search_spaces.spec import TrialSpec
from trainables.api import Fusion, MethodCard
from trainables.candidates import candidate_specs
from trainables.methods._frozen_model import FrozenModel
from trainables.params import number, one_of
from trainables.vae import VaeSettings

__all__ = ["VaeImputation", "VaeImputationHyperparameters"]


@dataclass(frozen=True)
class VaeImputationHyperparameters:
    """What is completed, and how the autoencoders are trained.

    Attributes: source: whose features, the naive model's or those of the best candidate by validation score;
    candidates: with `best`, methods separated by commas, each with `:parameter=value` where not by default; probe:
    fitted on real or on imputed pairs; latent: k; kl_weight: what multiplies the divergence; epochs: at most.
    """

    source: str = one_of("naive", "best")
    candidates: str = "naive,dropout,mtl,umt"
    probe: str = one_of("real", "imputed")
    latent: int = number(64, 1, 4096, search=(32, 64, 128))
    kl_weight: float = number(1.0, 0.0, 1e3, search=(0.01, 0.1, 1.0))
    epochs: int = number(200, 1, 10_000)


class VaeImputation(FrozenModel):
    """L = E_q[1/2 ||v - dec(h)||^2] + w KL(q(h|u) || N(0, I)), v^ = dec(mu(u)); nothing is trained with l(s, y).

    Source: MMPT section 5. u are the available and v the missing modalities' standardised features in the frozen
    source model, each as if alone; one autoencoder per pattern. The joint probe classifies the completed features.
    """

    card = MethodCard(
        title="VAE imputation",
        paper="MMPT",
        idea="Make up a missing modality's features from the available ones in a frozen model, then use both.",
        cost=("0.01 on top of its source", "0.01 on top of its source"),
        missing_in_training="not used by the autoencoders, which learn from complete samples",
        missing_at_test="joint probe on real and imputed features; none",
    )
    Hyperparameters = VaeImputationHyperparameters

    @classmethod
    def settle(cls, hyperparameters: Any, fusion: type[Fusion]) -> Any:
        """Forget the candidates where there is nothing to choose."""
        del fusion
        naive = hyperparameters.source == "naive"
        return replace(hyperparameters, candidates="naive") if naive else hyperparameters

    @classmethod
    def reports(cls, hyperparameters: object, modalities: tuple[str, ...]) -> tuple[Pattern, ...]:
        """Return every pattern in which something is missing."""
        del hyperparameters
        return patterns(modalities)[1:]

    @classmethod
    def requires(cls, spec: TrialSpec, hyperparameters: Any, modalities: tuple[str, ...]) -> Mapping[str, TrialSpec]:
        """Return the naive trial or all candidates, trained as the spec says."""
        best = hyperparameters.source == "best"
        return candidate_specs(spec, hyperparameters.candidates if best else "naive", modalities)

    def chosen(self, required: Sequence[str], val_score: Callable[[str], float]) -> Sequence[str]:
        """Choose the best validation score; ties go to the first candidate."""
        return [max(required, key=val_score)] if len(required) > 1 else required

    def imputation(self) -> tuple[VaeSettings, bool]:
        """Return how features are completed, and whether probes are fitted on imputed pairs."""
        own = self.hyperparameters
        return VaeSettings(latent=own.latent, kl_weight=own.kl_weight, epochs=own.epochs), own.probe == "imputed"
