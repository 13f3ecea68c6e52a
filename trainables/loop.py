"""The training loop, the same for every method: epochs, validation, early stopping, checkpoints."""

import math
from collections.abc import Iterator

import numpy as np
import torch

from results.losses import training_loss
from results.metrics import score
from results.schema import Floats, HistoryRow
from search_spaces.modality import Pattern
from trainables.api import Features, Method
from trainables.checkpoint import optimizer_tensors, pack, restore_optimizer, unpack, weights
from trainables.data import SplitData
from trainables.devices import Compute
from trainables.rehearsals import Rehearsals
from trainables.training import EVALUATION_BATCH, Training, TrialDivergedError, encode, finite_row

__all__ = ["EVALUATION_BATCH", "SELECTION_METRIC", "TrainingLoop", "TrialDivergedError", "encode"]

SELECTION_METRIC = "macro_f1"
"""Validation score of the main pattern by which the best epoch is chosen (MMPT section 4)."""
_EPOCH_STREAM = 1


class TrainingLoop:
    """Trains a method and remembers the weights of its best validation epoch.

    Args:
        method: the method, on the device.
        train: training split whose `available` already has the missing mask.
        val: validation split.
        main: pattern whose validation score selects the epoch, unless the method says otherwise.
        compute: device and precision.
    """

    def __init__(self, method: Method, train: SplitData, val: SplitData, main: Pattern, compute: Compute) -> None:
        self.method = method
        self.spec = method.spec
        self.train = train
        self.val = val
        self.main = main
        self.compute = compute
        self.rows = np.flatnonzero(method.usable(train.available))
        if not len(self.rows):
            raise TrialDivergedError(
                f"no training sample is left for {self.spec.method} at p_train {self.spec.p_train}"
            )
        self.rehearsals = Rehearsals(method, train, compute)
        self.training = Training(method, train, self.rows, compute, stream=(_EPOCH_STREAM,))
        self.epoch = 0
        self.best_epoch = 0
        self.best_score = -math.inf
        self.best = weights(method)
        self.history: list[HistoryRow] = []

    @property
    def finished(self) -> bool:
        """Tell whether the last epoch is over or patience has run out."""
        waited = self.epoch - self.best_epoch
        return self.epoch >= self.spec.epochs or bool(self.spec.patience and waited >= self.spec.patience)

    def facts(self) -> dict[str, float]:
        """Return the best epoch, and the seconds that epochs took in this process and waited for data in it."""
        training, waiting = self.training.training_seconds, self.training.waiting_seconds
        return {"best_epoch": self.best_epoch, "seconds/epochs": training, "seconds/waiting_for_data": waiting}

    def epochs(self) -> Iterator[list[HistoryRow]]:
        """Run the epochs that are left, yielding each one's history rows; those of rehearsals come first."""
        for rows in self.rehearsals.epochs():
            self.history.extend(rows)
            yield rows
        while not self.finished:
            self.epoch += 1
            rows = [*self._train_epoch(), *self._validate()]
            self.history.extend(rows)
            yield rows
        self.method.load_state_dict(self.best)

    def checkpoint(self) -> bytes:
        """Return everything that is needed to go on after this epoch."""
        header = {
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "history": [list(row) for row in self.history],
            "rehearsals": self.rehearsals.header(),
        }
        groups = {
            "model": weights(self.method),
            "best": self.best,
            "optimizer": optimizer_tensors(self.training.optimizer),
            "rehearsal": self.rehearsals.optimizer_tensors(),
        }
        return pack(groups, header)

    def restore(self, data: bytes) -> None:
        """Go on from a `checkpoint`; the numbers are those of an unbroken training.

        Raises:
            SafetensorError, KeyError, ValueError: the bytes are no checkpoint of this model; nothing was changed.
        """
        groups, header = unpack(data)
        rehearsals, history = header["rehearsals"], [HistoryRow(*row) for row in header["history"]]
        epoch, best_epoch, best_score = (header[name] for name in ("epoch", "best_epoch", "best_score"))
        best = {name: tensor.to(self.compute.device) for name, tensor in groups["best"].items()}
        shapes = {name: tensor.shape for name, tensor in self.method.state_dict().items()}
        if {name: tensor.shape for name, tensor in groups["model"].items()} != shapes:
            raise ValueError("the checkpoint is of another model")
        self.method.load_state_dict(groups["model"])
        self.best = best
        restore_optimizer(self.training.optimizer, groups.get("optimizer", {}))
        self.rehearsals.restore(rehearsals, groups.get("rehearsal", {}))
        self.epoch, self.best_epoch, self.best_score, self.history = epoch, best_epoch, best_score, history

    def _train_epoch(self) -> list[HistoryRow]:
        self.method.begin_epoch(self.epoch)
        means = self.training.train_epoch(self.epoch)
        return [
            *(finite_row(self.epoch, f"train/{name}", mean, count) for name, (mean, count) in means.items()),
            *(finite_row(self.epoch, name, value) for name, value in self.method.traces().items()),
        ]

    def _validate(self) -> list[HistoryRow]:
        judged = [self._judged(pattern) for pattern in self.method.judged_by(self.main)]
        means = {name: float(np.mean([values[name] for values in judged])) for name in judged[0]}
        rows = [finite_row(self.epoch, f"val/{name}", value) for name, value in means.items()]
        selected = self.compute.workers.from_leading(means[SELECTION_METRIC])
        if selected > self.best_score:
            self.best_score, self.best_epoch = selected, self.epoch
            self.best = weights(self.method)
        return rows

    def _judged(self, pattern: Pattern) -> dict[str, float]:
        seen = self.val.has(pattern)
        logits, targets = self._logits(pattern)[seen], self.val.targets_host[seen]
        scores = {name: score(logits, targets, name) for name in (SELECTION_METRIC, "accuracy")}
        return {"loss": training_loss(logits, targets), **scores}

    def _logits(self, pattern: Pattern) -> Floats:
        self.method.eval()
        parts = []
        with torch.inference_mode():
            for batch in self.val.batches(EVALUATION_BATCH, pattern):
                features: Features = encode(self.method, batch, self.compute)
                logits = self.method.predict(features, pattern)
                assert logits is not None, "a method predicts what it is judged by"
                parts.append(logits)
            return np.asarray(self.val.in_stored_order(torch.cat(parts)).float().cpu().numpy())
