"""Linear probes: fresh heads on frozen features, one per availability pattern, all fitted together."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from results.metrics import score
from search_spaces.modality import Pattern
from trainables.data import order_of_epoch
from trainables.devices import seed_everything

__all__ = ["FittedProbe", "ProbeSettings", "ProbeTask", "fit_probes"]

_PROBE_STREAM = 2


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
class ProbeTask:
    """The data of one probe.

    Attributes:
        train: (N_p, d) features of the training samples that have the whole pattern.
        train_targets: (N_p,) or (N_p, C), on the features' device.
        val: (V_p, d) features of the validation samples that have it.
        val_targets: (V_p,) or (V_p, C), on the host.
    """

    train: Tensor
    train_targets: Tensor
    val: Tensor
    val_targets: npt.NDArray[np.int64]


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


class _Head:
    """One pattern's candidates, one per learning rate, and the best of each so far."""

    def __init__(self, task: ProbeTask, num_classes: int, num_rates: int) -> None:
        self.task = task
        width, bound = task.train.shape[1], task.train.shape[1] ** -0.5
        device = task.train.device
        init = torch.empty(width + 1, num_classes).uniform_(-bound, bound).to(device)  # nn.Linear's default
        self.weights = [init[:-1].clone().requires_grad_() for _ in range(num_rates)]
        self.biases = [init[-1].clone().requires_grad_() for _ in range(num_rates)]
        self.best_score = np.full(num_rates, -1.0)
        self.best_epoch = np.zeros(num_rates, dtype=int)
        self.best = [(weight.detach().clone(), bias.detach().clone()) for weight, bias in self.pairs]

    @property
    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.weights, self.biases, strict=True))

    def loss(self, rows: Tensor, *, multi_label: bool) -> Tensor:
        """Return the candidates' mean losses, added up: their gradients do not mix."""
        features, targets = self.task.train[rows], self.task.train_targets[rows]
        weight, bias = torch.cat(self.weights, dim=1), torch.cat(self.biases)
        logits = (features @ weight + bias).view(len(features), len(self.weights), -1)
        if multi_label:
            wide = targets.to(logits.dtype).unsqueeze(1).expand_as(logits)
            return nn.functional.binary_cross_entropy_with_logits(logits, wide) * len(self.weights)
        return nn.functional.cross_entropy(logits.flatten(0, 1), targets.repeat_interleave(len(self.weights))) * len(
            self.weights
        )

    @torch.no_grad()
    def validate(self, epoch: int, patience: int) -> bool:
        """Keep what improved; return whether any candidate is still within its patience."""
        waiting = epoch - self.best_epoch <= patience
        for index, (weight, bias) in enumerate(self.pairs):
            if not waiting[index]:
                continue
            logits = (self.task.val @ weight + bias).float().cpu().numpy()
            value = score(logits, self.task.val_targets)
            if value > self.best_score[index]:
                self.best_score[index], self.best_epoch[index] = value, epoch
                self.best[index] = (weight.detach().clone(), bias.detach().clone())
        return bool((epoch - self.best_epoch < patience).any())


def fit_probes(
    tasks: Mapping[Pattern, ProbeTask],
    *,
    num_classes: int,
    multi_label: bool,
    seed: int,
    settings: ProbeSettings | None = None,
) -> dict[Pattern, FittedProbe]:
    """Fit one probe per pattern, all in one optimisation.

    AdamW without weight decay on the mean cross-entropy (binary, if multi-label); every pattern and learning rate
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
    heads = {
        pattern: _Head(task, num_classes, len(chosen.learning_rates))
        for pattern, task in tasks.items()
        if len(task.train) and len(task.val)
    }
    groups = [
        {"params": [t for head in heads.values() for t in (head.weights[index], head.biases[index])], "lr": rate}
        for index, rate in enumerate(chosen.learning_rates)
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0, fused=True) if heads else None
    active = dict(heads)
    for epoch in range(1, chosen.epochs + 1):
        if not active or optimizer is None:
            break
        _train_epoch(active, optimizer, chosen.batch_size, (seed, epoch), multi_label=multi_label)
        active = {pattern: head for pattern, head in active.items() if head.validate(epoch, chosen.patience)}
    return {pattern: _best(head, chosen.learning_rates) for pattern, head in heads.items()}


def _train_epoch(
    heads: Mapping[Pattern, _Head],
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    key: tuple[int, int],
    *,
    multi_label: bool,
) -> None:
    """Take as many steps as the largest probe has batches; a smaller one is done earlier."""
    seed, epoch = key
    orders = {
        pattern: torch.from_numpy(order_of_epoch(len(head.task.train), seed, epoch)).to(head.task.train.device)
        for pattern, head in heads.items()
    }
    num_steps = max(-(-len(order) // batch_size) for order in orders.values())
    for step in range(num_steps):
        losses = []
        for pattern, head in heads.items():
            start = step * batch_size
            if start < len(orders[pattern]):
                losses.append(head.loss(orders[pattern][start : start + batch_size], multi_label=multi_label))
        optimizer.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]  # torch declares no types here
        optimizer.step()


def _best(head: _Head, learning_rates: tuple[float, ...]) -> FittedProbe:
    index = int(np.argmax(head.best_score))
    weight, bias = head.best[index]
    epoch, best_score = int(head.best_epoch[index]), float(head.best_score[index])
    return FittedProbe(weight=weight, bias=bias, learning_rate=learning_rates[index], epoch=epoch, val_score=best_score)
