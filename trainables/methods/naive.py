"""Naive joint training, the baseline of every comparison."""

from trainables.api import Batch, Features, Method, MethodCard, Term

__all__ = ["Naive"]


class Naive(Method):
    """One loss on the fused logits of complete samples: L = l(concat(z) W^T + b, y).

    Source: MMPT section 4.1. Incomplete training samples are dropped; a missing modality at test time is a zero
    feature in the `head` route and the available modality's own probe in the `probe` route.
    """

    fewest_modalities = 1
    card = MethodCard(
        title="Naive",
        paper="MMPT",
        idea="Train all encoders and one head on the concatenation with one loss.",
        cost=("1", "1"),
    )

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term."""
        joint = self.term(self.fusion.fused_logits(features), batch, *self.info.modalities)
        return {"joint": joint} if joint else {}
