"""What methods share that take a finished trial's model as it is and change only how it is served."""

from collections.abc import Mapping

from torch import Tensor

from search_spaces.modality import Pattern
from trainables.api import Batch, Features, Method, Term

__all__ = ["FrozenModel"]


class FrozenModel(Method):
    """Serves the one model that it receives, whatever its method has besides; nothing of it is trained."""

    trains = False

    def receive(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Load and freeze the model."""
        (source,) = weights.values()
        self.fusion.load_state_dict({name: source[f"fusion.{name}"] for name in self.fusion.state_dict()})
        self.fusion.requires_grad_(requires_grad=False)

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return nothing: no batch of inputs is trained on."""
        del features, batch
        return {}

    def predict(self, features: Features, pattern: Pattern) -> None:
        """Predict nothing without a probe."""
        del features, pattern
