"""MMPT's weakness score: which modality a jointly trained model has neglected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from results.schema import TrialRecord
from search_spaces.modality import Pattern

__all__ = ["SMALLEST_LOSS", "Weakness", "losses_of", "probe_train_losses", "weakness_scores"]

SMALLEST_LOSS = 1e-6
"""Below this mean loss of the others a score says nothing but "much weaker" and is reported as infinite."""


@dataclass(frozen=True)
class Weakness:
    """How weak a modality is beside the others.

    Attributes:
        score: W(m) = loss / others_loss (MMPT section 2.3); below 1: m is the stronger one, above 1: the weaker one.
        loss: mean training-set loss of the probe on modality m.
        others_loss: mean of that loss over the other modalities.
    """

    score: float
    loss: float
    others_loss: float


def weakness_scores(losses: Mapping[str, float]) -> dict[str, Weakness]:
    """Return each modality's weakness from the training-set losses of the single-modality probes.

    With three or more modalities the denominator is the mean over the others, an extension of the paper's ratio.
    Fewer than two losses compare nothing and give an empty result.
    """
    scores = {}
    for name, loss in losses.items():
        others = [other for key, other in losses.items() if key != name]
        if others:
            mean = sum(others) / len(others)
            scores[name] = Weakness(inf if mean < SMALLEST_LOSS else loss / mean, loss, mean)
    return scores


def losses_of(facts: Mapping[str, float], modalities: Iterable[str]) -> dict[str, float]:
    """Return modality -> training-set loss of its probe, of a trial's whole-trial facts; where it was fitted."""
    found = {name: facts.get(f"probe/{Pattern([name]).key}/train_loss") for name in modalities}
    return {name: loss for name, loss in found.items() if loss is not None}


def probe_train_losses(record: TrialRecord) -> dict[str, float]:
    """Return modality -> training-set loss of its probe, for the modalities whose probe the trial has fitted."""
    whole = record.history[record.history["epoch"].isna()]
    return losses_of(dict(zip(whole["name"], whole["value"], strict=True)), record.full_pattern)
