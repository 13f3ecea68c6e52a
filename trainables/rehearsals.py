"""Trainings that a method asks for before the real one, each from the trial's initial weights."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from results.schema import HistoryRow
from trainables.api import Method, Rehearsal, Rehearsed
from trainables.checkpoint import optimizer_tensors, restore_optimizer, weights
from trainables.data import SplitData
from trainables.devices import Compute
from trainables.training import EVALUATION_BATCH, Training, encode, finite_row

__all__ = ["Rehearsals"]

_REHEARSAL_STREAM = 3


class Rehearsals:
    """Runs a method's rehearsals and hands it their losses; the model then has its initial weights again.

    Every rehearsal lasts the trial's number of epochs, without early stopping. Nothing is done for a method that asks
    for none.

    Args:
        method: with the trial's initial weights, on the device.
        train: training split with the trial's missing mask.
        compute: device and precision.
    """

    def __init__(self, method: Method, train: SplitData, compute: Compute) -> None:
        self.method = method
        self.train = train
        self.compute = compute
        self.planned = tuple(method.rehearsals(train.available, train.targets_host))
        self.initial = weights(method) if self.planned else {}
        self.index = self.epoch = 0
        self.measured: dict[str, list[float]] = {}
        self.training = self._training()

    def epochs(self) -> Iterator[list[HistoryRow]]:
        """Run the epochs that are left, yielding each one's history rows."""
        while self.training and self.training.rehearsal:
            rehearsal = self.training.rehearsal
            if self.epoch == 0:
                self.measured[rehearsal.term] = self._measure(rehearsal)
            self.epoch += 1
            mean, count = self.training.train_epoch(self.epoch)[rehearsal.term]
            rows = [finite_row(self.epoch, f"rehearsal/{rehearsal.term}/loss", mean, count)]
            if self.epoch == self.method.spec.epochs:
                rows += self._finish(rehearsal)
            yield rows

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """Return the state of the optimiser of the rehearsal that is under way."""
        return optimizer_tensors(self.training.optimizer) if self.training else {}

    def header(self) -> dict[str, Any]:
        """Return the rest of what `restore` needs, plain."""
        return {"index": self.index, "epoch": self.epoch, "measured": self.measured}

    def restore(self, header: Mapping[str, Any], optimizer: Mapping[str, Tensor]) -> None:
        """Go on from `header` and `optimizer_tensors`; the model's weights are the caller's to restore."""
        self.index, self.epoch, self.measured = header["index"], header["epoch"], header["measured"]
        self.training = self._training()
        if self.training:
            restore_optimizer(self.training.optimizer, optimizer)

    def _training(self) -> Training | None:
        if self.index == len(self.planned):
            return None
        rehearsal, stream = self.planned[self.index], (_REHEARSAL_STREAM, self.index)
        return Training(self.method, self.train, rehearsal.train_rows, self.compute, stream=stream, rehearsal=rehearsal)

    def _finish(self, rehearsal: Rehearsal) -> list[HistoryRow]:
        self.measured[rehearsal.term] += self._measure(rehearsal)
        self.method.load_state_dict(self.initial)
        self.index, self.epoch = self.index + 1, 0
        self.training = self._training()
        if self.training:
            return []
        rehearsed = {item.term: self._rehearsed(item) for item in self.planned}
        return [finite_row(None, name, value) for name, value in self.method.learn(rehearsed).items()]

    def _rehearsed(self, rehearsal: Rehearsal) -> Rehearsed:
        train_before, held_out_before, train_after, held_out_after = self.measured[rehearsal.term]
        return Rehearsed(
            train_before=train_before,
            held_out_before=held_out_before,
            train_after=train_after,
            held_out_after=held_out_after,
            num_train=len(rehearsal.train_rows),
            num_held_out=len(rehearsal.held_out_rows),
        )

    def _measure(self, rehearsal: Rehearsal) -> list[float]:
        """Return the term's mean over all its training and all its held-out samples, in evaluation mode."""
        self.method.eval()
        with torch.inference_mode():
            return [self._mean(rehearsal, rows) for rows in (rehearsal.train_rows, rehearsal.held_out_rows)]

    def _mean(self, rehearsal: Rehearsal, rows: npt.NDArray[np.int64]) -> float:
        total = torch.zeros((), dtype=torch.float64, device=self.compute.device)
        for start in range(0, len(rows), EVALUATION_BATCH):
            batch = self.train.batch(rows[start : start + EVALUATION_BATCH], rehearsal.pattern)
            term = rehearsal.loss(encode(self.method, batch, self.compute), batch)
            assert term is not None, "every row of a rehearsal has its term"
            total += term.mean * term.count
        return finite_row(None, f"rehearsal/{rehearsal.term}", total.item() / len(rows)).value
