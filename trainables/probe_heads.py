"""All heads that a trial's probes try, as one optimisation: common steps and one optimiser state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from search_spaces.modality import Pattern
from trainables.probe_samples import PooledSamples, ProbeTask

__all__ = ["Head", "Heads"]

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's usual ones
_STATE = ("weights", "mean", "square")


@dataclass(kw_only=True)
class Head:
    """One pattern's head at one learning rate, and the best of it so far.

    Attributes:
        pattern: what it sees.
        rate: its learning rate.
        samples: N_p.
        weights: (C, d + 1), the bias in the last column; like Adam's `mean` and `square` a view of all heads' tensors.
        best: the weights of the best epoch.
    """

    pattern: Pattern
    rate: float
    samples: int
    weights: Tensor
    mean: Tensor
    square: Tensor
    best: Tensor
    best_score: float = -1.0
    best_epoch: int = 0


@dataclass(frozen=True)
class _Block:
    """Heads that share matrix products: G patterns of equal width and sample count with R rates each."""

    samples: int
    width: int
    num_rates: int
    offsets: Tensor
    """(G, 1), where each pattern's samples begin among all of this width."""
    numbers: slice
    """Their weights among those of all heads."""

    @property
    def num_heads(self) -> int:
        """G R."""
        return len(self.offsets) * self.num_rates

    def of(self, flat: Tensor) -> Tensor:
        """Return the block's part of what all heads have, (G, R C, width)."""
        return flat[self.numbers].view(len(self.offsets), -1, self.width)


class Heads:
    """Heads of all patterns at all learning rates, each fitted by Adam on its own mean loss.

    The gradient is in closed form: (softmax(s) - y) z^T / N, or (sigmoid(s) - y) z^T / (N C). Heads that see equally
    many features share one batched matrix product, those with equally many samples one softmax, and all of them one
    state of Adam; nothing is padded. Classes come before samples, since the softmax is the dearest part.

    Args:
        tasks: the patterns' data, in the order in which initial weights are drawn.
        rates: learning rates.
        num_classes: C.
        multi_label: whether targets are zeros and ones per class.
        batch_size: samples per step.
    """

    def __init__(
        self,
        tasks: Mapping[Pattern, ProbeTask],
        rates: Sequence[float],
        *,
        num_classes: int,
        multi_label: bool,
        batch_size: int,
    ) -> None:
        self.num_classes = num_classes
        self.multi_label = multi_label
        self.batch_size = batch_size
        by_width = sorted(tasks, key=lambda pattern: tasks[pattern].train.shape[1])
        self.samples = {
            width + 1: PooledSamples({pattern: tasks[pattern] for pattern in same})
            for width, same in groupby(by_width, key=lambda pattern: tasks[pattern].train.shape[1])
        }
        self.steps = {len(task.train): 0 for task in tasks.values()}
        self.open([head for pattern, task in tasks.items() for head in _heads(pattern, task, rates, num_classes)])

    def open(self, heads: Sequence[Head]) -> None:
        """Go on with just these heads, in a common state in which those with most samples come first."""
        self.heads = sorted(heads, key=lambda head: (-head.samples, head.weights.shape[1]))
        sizes = [head.weights.numel() for head in self.heads]
        self.state = {name: torch.cat([getattr(head, name).flatten() for head in self.heads]) for name in _STATE}
        for name, flat in self.state.items():
            for head, part in zip(self.heads, torch.split(flat, sizes), strict=True):
                setattr(head, name, part.view(head.weights.shape))
        self.gradient = torch.empty_like(self.state["weights"])
        self.rates = torch.cat([torch.full_like(head.weights, head.rate).flatten() for head in self.heads])
        self.blocks = self._blocks()

    def _blocks(self) -> list[_Block]:
        blocks: list[_Block] = []
        patterns = [list(own) for _, own in groupby(self.heads, key=lambda head: head.pattern)]
        shapes = groupby(patterns, key=lambda own: (own[0].samples, own[0].weights.shape[1], len(own)))
        begin = 0
        for (samples, width, num_rates), same in shapes:
            begins = [[self.samples[width].begins[own[0].pattern]] for own in same]
            end = begin + len(begins) * num_rates * self.num_classes * width
            offsets = torch.tensor(begins, device=self.gradient.device)
            blocks.append(_Block(samples, width, num_rates, offsets, slice(begin, end)))
            begin = end
        return blocks

    def by_pattern(self) -> Iterator[tuple[list[Head], Tensor]]:
        """Yield each pattern's heads and their weights (R, C, d + 1)."""
        for _, own in groupby(self.heads, key=lambda head: head.pattern):
            heads = list(own)
            yield heads, torch.stack([head.weights for head in heads])

    def epoch(self, orders: Mapping[int, Tensor]) -> None:
        """Pass once over every head's samples; `orders` has a permutation for each number of samples."""
        for start in range(0, self.blocks[0].samples, self.batch_size):
            active = [block for block in self.blocks if block.samples > start]
            for samples, same in groupby(active, key=lambda block: block.samples):
                self._differentiate(list(same), orders[samples][start : start + self.batch_size])
            self._adam(active)

    def _differentiate(self, blocks: Sequence[_Block], rows: Tensor) -> None:
        """Fill in the gradients of heads that have equally many samples."""
        seen = [self.samples[block.width].taken(rows, block.offsets) for block in blocks]
        scores = self.gradient.new_empty(sum(block.num_heads for block in blocks), self.num_classes, len(rows))
        for block, part, (z, _) in zip(blocks, _split(scores, blocks), seen, strict=True):
            torch.bmm(block.of(self.state["weights"]), z.mT, out=part.flatten(1, 2))
        residual = scores.sigmoid_() if self.multi_label else scores.softmax(dim=1)
        count = len(rows) * (self.num_classes if self.multi_label else 1)
        for block, part, (z, targets) in zip(blocks, _split(residual, blocks), seen, strict=True):
            if self.multi_label:
                part.sub_(targets.mT.unsqueeze(1))
            else:
                right = targets[:, None, None].expand(-1, block.num_rates, -1, -1)
                part.scatter_add_(2, right, part.new_full((1, 1, 1, 1), -1.0).expand_as(right))
            gradient = block.of(self.gradient)
            torch.baddbmm(gradient, part.flatten(1, 2), z, beta=0, alpha=1 / count, out=gradient)

    def _adam(self, blocks: Sequence[_Block]) -> None:
        stop = blocks[-1].numbers.stop
        gradient, (weights, mean, square) = self.gradient[:stop], (self.state[name][:stop] for name in _STATE)
        mean.lerp_(gradient, 1.0 - _BETA_1)
        square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1.0 - _BETA_2)
        root = torch.sqrt(square, out=gradient)
        for samples, same in groupby(blocks, key=lambda block: block.samples):
            numbers = [block.numbers for block in same]
            part = slice(numbers[0].start, numbers[-1].stop)
            self.steps[samples] += 1
            of_mean, of_square = (1.0 - beta ** self.steps[samples] for beta in (_BETA_1, _BETA_2))
            move = torch.div(mean[part], root[part].add_(_EPSILON * of_square**0.5), out=root[part])
            weights[part].addcmul_(move, self.rates[part], value=-(of_square**0.5) / of_mean)


def _heads(pattern: Pattern, task: ProbeTask, rates: Sequence[float], num_classes: int) -> list[Head]:
    """Return a pattern's heads, which all start from the same weights."""
    width, bound = task.train.shape[1], task.train.shape[1] ** -0.5
    drawn = torch.empty(width + 1, num_classes).uniform_(-bound, bound).to(task.train.device)  # nn.Linear's default
    start, zeros = drawn.T.contiguous(), torch.zeros_like(drawn.T)
    num = len(task.train)
    return [
        Head(pattern=pattern, rate=rate, samples=num, weights=start, mean=zeros, square=zeros, best=start)
        for rate in rates
    ]


def _split(scores: Tensor, blocks: Sequence[_Block]) -> list[Tensor]:
    """Return each block's (G, R, C, B) of (heads, C, B)."""
    parts = torch.split(scores, [block.num_heads for block in blocks])
    return [part.view(-1, block.num_rates, *part.shape[1:]) for part, block in zip(parts, blocks, strict=True)]
