"""The two exchanges between a trial's workers that gradients go through."""

from typing import Any, Protocol

import torch
from torch import Tensor

__all__ = ["Exchange", "Gathered", "Totalled"]


class Exchange(Protocol):
    """What is needed of a trial's workers, see `trainables.workers.Workers`."""

    rank: int
    number: int

    def total(self, values: Tensor) -> Tensor:
        """Return the sum over the workers."""

    def gather(self, values: Tensor) -> Tensor:
        """Return the workers' tensors of equal shapes, stacked."""


class Gathered(torch.autograd.Function):
    """All workers' rows in order. Its gradient is that of the own rows times the number of workers.

    What follows is computed by every worker alike; the factor makes the mean over the workers right for parameters
    of what came before as well as for those of what follows, and for any that are in both.
    """

    @staticmethod
    def forward(ctx: Any, own: Tensor, sizes: list[int], workers: Exchange) -> Tensor:
        """Map (rows of this worker, ...) to (all rows, ...)."""
        ctx.own = slice(sum(sizes[: workers.rank]), sum(sizes[: workers.rank + 1]))
        ctx.number = workers.number
        padded = own.new_zeros(max(sizes), *own.shape[1:])
        padded[: len(own)] = own
        return torch.cat([rows[:size] for rows, size in zip(workers.gather(padded), sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the own rows."""
        return gradients[0][ctx.own] * ctx.number, None, None


class Totalled(torch.autograd.Function):
    """The sum of what workers hand in, on which each of them goes on with its own rows."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, workers: Exchange) -> Tensor:
        """Return the sum."""
        ctx.workers = workers
        return workers.total(own.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the sum of the gradients."""
        total: Tensor = ctx.workers.total(gradients[0].clone())
        return total, None
