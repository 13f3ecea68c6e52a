"""Linear probes: fresh heads on frozen features, one per availability pattern, all learning rates at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from results.counts import Counts, contributions
from results.metrics import metric_named
from search_spaces.modality import Pattern
from trainables.data import order_of_epoch
from trainables.devices import seed_everything
from trainables.probe_heads import Head, Heads
from trainables.probe_samples import ProbeTask, with_ones

__all__ = ["FittedProbe", "ProbeSettings", "ProbeTask", "fit_probes"]

_PROBE_STREAM = 2
_SELECTION_METRIC = "macro_f1"


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """How probes are fitted; MMPT does not say, these are ours.

    Attributes:
        learning_rates: each is tried for every probe; validation macro F1 chooses.
        batch_size: samples per step.
        epochs: most passes over the training features.
        patience: epochs without a better validation score before a probe stops.
    """

    learning_rates: tuple[float, ...] = (1e-2, 1e-3, 1e-4)
    batch_size: int = 256
    epochs: int = 100
    patience: int = 10


@dataclass(frozen=True, kw_only=True)
class FittedProbe:
    """A fitted linear head, s = z V^T + c.

    Attributes:
        weight: (d, C).
        bias: (C,).
        learning_rate: the chosen one.
        epoch: the chosen one.
        val_score: its validation macro F1.
    """

    weight: Tensor
    bias: Tensor
    learning_rate: float
    epoch: int
    val_score: float

    def logits(self, features: Tensor) -> Tensor:
        """Map (N, d) to (N, C)."""
        return features @ self.weight + self.bias


def fit_probes(
    tasks: Mapping[Pattern, ProbeTask],
    *,
    num_classes: int,
    multi_label: bool,
    seed: int,
    settings: ProbeSettings | None = None,
) -> dict[Pattern, FittedProbe]:
    """Fit one probe per pattern, all patterns and learning rates in one optimisation.

    Adam on the mean cross-entropy (binary, if multi-label); every pattern and learning rate
    stops by itself; learning rate and epoch are chosen by validation macro F1, ties going to the first rate and epoch.

    Args:
        tasks: features per pattern; one without training or validation samples is left out of the result.
        num_classes: C.
        multi_label: whether targets are zeros and ones per class.
        seed: of initial weights and sample order.
        settings: how long and at which learning rates.
    """
    chosen = settings or ProbeSettings()
    seed_everything(seed, _PROBE_STREAM)
    fitted = {pattern: task for pattern, task in tasks.items() if len(task.train) and len(task.val)}
    if not fitted:
        return {}
    judge = _Judge(fitted)
    heads = Heads(
        fitted,
        chosen.learning_rates,
        num_classes=num_classes,
        multi_label=multi_label,
        batch_size=chosen.batch_size,
    )
    every = list(heads.heads)
    for epoch in range(1, chosen.epochs + 1):
        heads.epoch(_orders({head.samples for head in heads.heads}, seed, epoch, heads.gradient.device))
        judge.keep_what_improved(heads, epoch)
        waiting = [head for head in heads.heads if epoch - head.best_epoch < chosen.patience]
        if not waiting:
            break
        if len(waiting) < len(heads.heads):
            heads.open(waiting)
    return {pattern: _best([head for head in every if head.pattern == pattern]) for pattern in fitted}


def _orders(counts: Collection[int], seed: int, epoch: int, device: torch.device) -> dict[int, Tensor]:
    return {count: torch.from_numpy(order_of_epoch(count, seed, epoch)).to(device) for count in counts}


class _Judge:
    """Scores heads by validation macro F1 and keeps the best of each."""

    def __init__(self, tasks: Mapping[Pattern, ProbeTask]) -> None:
        self.features = {pattern: with_ones(task.val).T for pattern, task in tasks.items()}
        self.targets = {pattern: task.val_targets for pattern, task in tasks.items()}

    def keep_what_improved(self, heads: Heads, epoch: int) -> None:
        for own, weights in heads.by_pattern():
            for head, value in zip(own, self._scores(own[0].pattern, weights), strict=True):
                if value > head.best_score:
                    head.best_score, head.best_epoch, head.best = value, epoch, head.weights.clone()

    def _scores(self, pattern: Pattern, weights: Tensor) -> list[float]:
        shape, targets = weights.shape[:2], self.targets[pattern]
        logits = (weights.flatten(0, 1) @ self.features[pattern]).view(*shape, -1).mT.flatten(0, 1)
        added = contributions(logits.float().cpu().numpy(), np.concatenate([targets] * len(weights)))
        counts = Counts.of(added.reshape(len(weights), len(targets), -1).sum(axis=1), targets)
        scores: list[float] = metric_named(_SELECTION_METRIC).of(counts).tolist()
        return scores


def _best(heads: Sequence[Head]) -> FittedProbe:
    """Return the best of a pattern's heads; ties go to the first rate."""
    head = max(heads, key=lambda one: one.best_score)
    weight = head.best.T
    return FittedProbe(
        weight=weight[:-1].contiguous(),
        bias=weight[-1].contiguous(),
        learning_rate=head.rate,
        epoch=head.best_epoch,
        val_score=head.best_score,
    )
