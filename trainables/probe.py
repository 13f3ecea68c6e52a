"""Linear probes: fresh heads on frozen features, one per availability pattern, all learning rates at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from results.counts import Counts, contributions
from results.metrics import metric_named
from search_spaces.modality import Pattern
from trainables.data import order_of_epoch
from trainables.devices import seed_everything

__all__ = ["FittedProbe", "ProbeSettings", "ProbeTask", "fit_probes"]

_PROBE_STREAM = 2
_SELECTION_METRIC = "macro_f1"
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's usual ones


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
    """One pattern's candidates, one block of C rows per learning rate, and the best of each so far.

    A step is two matrix products over all candidates, with the gradient in closed form: (softmax(s) - y) z^T / N, or
    (sigmoid(s) - y) z^T / (N C). On one core that takes a third of the time of autograd and one optimiser over all
    heads (48 features; three quarters with 768). Padding the patterns to one width, to fit them in one product, is
    slower there, and twice as slow with 768 features. Classes come before samples: the softmax is the dearest part.
    """

    def __init__(self, task: ProbeTask, num_classes: int, rates: tuple[float, ...], *, multi_label: bool) -> None:
        width, bound = task.train.shape[1], task.train.shape[1] ** -0.5
        device = task.train.device
        init = torch.empty(width + 1, num_classes).uniform_(-bound, bound).to(device)  # nn.Linear's default
        self.train, self.val = _with_ones(task.train), _with_ones(task.val).T
        self.targets = task.train_targets
        self.val_targets = np.concatenate([task.val_targets] * len(rates))
        self.shape = (len(rates), num_classes)
        self.multi_label = multi_label
        self.weights = init.T.repeat(len(rates), 1)  # (rates * C, width + 1), the bias in the last column
        self.rates = rates
        self.row_rates = torch.tensor(rates, device=device).repeat_interleave(num_classes).unsqueeze(1)
        self.mean, self.square = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.steps = 0
        self.best_score = np.full(len(rates), -1.0)
        self.best_epoch = np.zeros(len(rates), dtype=int)
        self.best = self.weights.clone()

    def step(self, rows: Tensor) -> None:
        """Take one step of Adam with every candidate on the mean loss of these rows."""
        z, targets = self.train[rows], self.targets[rows]
        logits = (self.weights @ z.T).view(*self.shape, len(rows))
        if self.multi_label:
            residual = logits.sigmoid_().sub_(targets.T)
            count = targets.numel()
        else:
            residual = logits.softmax(dim=1)
            residual[:, targets, torch.arange(len(rows), device=targets.device)] -= 1.0
            count = len(rows)
        self._adam((residual.view(-1, len(rows)) @ z).div_(count))

    def _adam(self, gradient: Tensor) -> None:
        self.steps += 1
        self.mean.lerp_(gradient, 1.0 - _BETA_1)
        self.square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1.0 - _BETA_2)
        root = self.square.sqrt().div_((1.0 - _BETA_2**self.steps) ** 0.5).add_(_EPSILON)
        self.weights.sub_(torch.div(self.mean, root, out=root).mul_(self.row_rates / (1.0 - _BETA_1**self.steps)))

    def validate(self, epoch: int, patience: int) -> bool:
        """Keep what improved; return whether any candidate is still within its patience."""
        num_rates, num_classes = self.shape
        logits = (self.weights @ self.val).view(num_rates, num_classes, -1).transpose(1, 2).flatten(0, 1)
        added = contributions(logits.float().cpu().numpy(), self.val_targets)
        sums = added.reshape(num_rates, -1, added.shape[1]).sum(axis=1)
        counts = Counts.of(sums, self.val_targets[: self.val.shape[1]])
        values = metric_named(_SELECTION_METRIC).of(counts)
        improved = (values > self.best_score) & (epoch - self.best_epoch <= patience)
        self.best_score[improved], self.best_epoch[improved] = values[improved], epoch
        rows = torch.from_numpy(np.repeat(improved, num_classes)).to(self.weights.device)
        self.best = torch.where(rows.unsqueeze(1), self.weights, self.best)
        return bool((epoch - self.best_epoch < patience).any())

    def fitted(self) -> FittedProbe:
        """Return the best candidate; ties go to the first rate."""
        index, num_classes = int(np.argmax(self.best_score)), self.shape[1]
        weight = self.best[index * num_classes : (index + 1) * num_classes].T
        return FittedProbe(
            weight=weight[:-1].contiguous(),
            bias=weight[-1].contiguous(),
            learning_rate=self.rates[index],
            epoch=int(self.best_epoch[index]),
            val_score=float(self.best_score[index]),
        )


def _with_ones(features: Tensor) -> Tensor:
    return torch.cat([features, features.new_ones(len(features), 1)], dim=1)


def fit_probes(
    tasks: Mapping[Pattern, ProbeTask],
    *,
    num_classes: int,
    multi_label: bool,
    seed: int,
    settings: ProbeSettings | None = None,
) -> dict[Pattern, FittedProbe]:
    """Fit one probe per pattern, all in one pass each over all learning rates.

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
    heads = {
        pattern: _Head(task, num_classes, chosen.learning_rates, multi_label=multi_label)
        for pattern, task in tasks.items()
        if len(task.train) and len(task.val)
    }
    for head in heads.values():
        for epoch in range(1, chosen.epochs + 1):
            order = torch.from_numpy(order_of_epoch(len(head.train), seed, epoch)).to(head.train.device)
            for rows in torch.split(order, chosen.batch_size):
                head.step(rows)
            if not head.validate(epoch, chosen.patience):
                break
    return {pattern: head.fitted() for pattern, head in heads.items()}
