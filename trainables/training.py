"""Passes over training samples: batches, gradient steps, and the learning rate's course."""

import math
import time

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from results.schema import HistoryRow
from trainables.api import Batch, Features, Method, Rehearsal, Term
from trainables.data import SplitData, order_of_epoch
from trainables.devices import Compute, seed_everything
from trainables.optim import learning_rate_factor, make_optimizer, set_learning_rate
from trainables.stored_inputs import Scratch

__all__ = ["EVALUATION_BATCH", "Training", "TrialDivergedError", "encode", "finite_row"]

EVALUATION_BATCH = 512


class TrialDivergedError(RuntimeError):
    """A loss became NaN or infinite."""


def finite_row(epoch: int | None, name: str, value: float, samples: int | None = None) -> HistoryRow:
    """Return a row of the history.

    Raises:
        TrialDivergedError: the value is NaN or infinite.
    """
    if not math.isfinite(value):
        raise TrialDivergedError(f"{name} is {value} in epoch {epoch}; try a smaller learning rate")
    return HistoryRow(epoch, name, value, samples)


def encode(method: Method, batch: Batch, compute: Compute) -> dict[str, Tensor]:
    """Return float32 features of a batch under the trial's precision."""
    with compute.autocast():
        features = method.encode(batch)
    return {name: z.float() for name, z in features.items()}


class Training:
    """Steps of one optimiser over some training samples.

    Args:
        method: the method, on the device.
        data: training split.
        rows: samples to learn from.
        compute: device and precision.
        stream: seeds drop-out and noise, together with the trial's seed and the epoch.
        rehearsal: trains this one's term alone; None trains what the method's `losses` says.

    Attributes:
        waiting_seconds: spent on making batches so far.
        training_seconds: spent on epochs so far, making batches included.
    """

    def __init__(
        self,
        method: Method,
        data: SplitData,
        rows: npt.NDArray[np.int64],
        compute: Compute,
        *,
        stream: tuple[int, ...],
        rehearsal: Rehearsal | None = None,
    ) -> None:
        self.method = method
        self.spec = method.spec
        self.data = data
        self.rows = rows
        self.compute = compute
        self.stream = stream
        self.rehearsal = rehearsal
        self.optimizer = make_optimizer(method, self.spec)
        self._scratch = Scratch()
        self.waiting_seconds = 0.0
        self.training_seconds = 0.0

    def train_epoch(self, epoch: int) -> dict[str, tuple[float, int]]:
        """Train the epoch (1, 2, ...) and return each term's mean and the number of samples it averages over."""
        began = time.perf_counter()
        seed_everything(self.spec.seed, *self.stream, epoch)
        self.method.train()
        order = self.rows[order_of_epoch(len(self.rows), self.spec.seed, epoch)]
        steps = math.ceil(len(order) / self.spec.batch_size)
        pattern = self.rehearsal.pattern if self.rehearsal else None
        sums: dict[str, Tensor] = {}
        counts: dict[str, int] = {}
        batches = self.data.batches_of(order, self.spec.batch_size, pattern, self._scratch)
        for step in range((epoch - 1) * steps, epoch * steps):
            asked = time.perf_counter()
            batch = next(batches)
            self.waiting_seconds += time.perf_counter() - asked
            factor = learning_rate_factor(self.spec, step, self.spec.epochs * steps)
            for name, term in self._step(batch, self.spec.learning_rate * factor).items():
                value = term.mean.detach() * term.count
                sums[name] = sums[name] + value if name in sums else value
                counts[name] = counts.get(name, 0) + term.count
        means = {name: (sums[name].item() / counts[name], counts[name]) for name in sums}
        self.compute.workers.check_equal(self.method)
        self.training_seconds += time.perf_counter() - began
        return means

    def _step(self, batch: Batch, learning_rate: float) -> dict[str, Term]:
        self.optimizer.zero_grad(set_to_none=True)
        features = encode(self.method, batch, self.compute)
        terms = self.method.losses(features, batch) if self.rehearsal is None else self._rehearsed(features, batch)
        if terms:
            loss = sum(
                (term.weight * term.mean for term in terms.values()), start=torch.zeros((), device=self.compute.device)
            )
            loss.backward()  # type: ignore[no-untyped-call]  # torch declares no types here
            self.compute.workers.average_gradients(self.method)
            self.method.before_step()
            if self.spec.clip_norm > 0:
                torch.nn.utils.clip_grad_norm_(self.method.parameters(), self.spec.clip_norm)
            set_learning_rate(self.optimizer, self.spec, learning_rate, self.method.paces())
            self.optimizer.step()
        return terms

    def _rehearsed(self, features: Features, batch: Batch) -> dict[str, Term]:
        assert self.rehearsal is not None
        term = self.rehearsal.loss(features, batch)
        return {self.rehearsal.term: term} if term else {}
