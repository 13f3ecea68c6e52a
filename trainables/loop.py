"""The training loop, the same for every method: epochs, validation, early stopping, checkpoints."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from results.losses import training_loss
from results.metrics import score
from results.schema import Floats, HistoryRow
from search_spaces.modality import Pattern
from trainables.api import Batch, Features, Method, Term
from trainables.checkpoint import optimizer_tensors, pack, restore_optimizer, unpack, weights
from trainables.data import SplitData, order_of_epoch
from trainables.devices import Compute, seed_everything
from trainables.optim import learning_rate_factor, make_optimizer

__all__ = ["EVALUATION_BATCH", "SELECTION_METRIC", "TrainingLoop", "TrialDivergedError", "encode"]

SELECTION_METRIC = "macro_f1"
"""Validation score of the main pattern by which the best epoch is chosen (MMPT section 4)."""
EVALUATION_BATCH = 512
_EPOCH_STREAM = 1


class TrialDivergedError(RuntimeError):
    """A loss became NaN or infinite."""


def encode(method: Method, batch: Batch, compute: Compute) -> dict[str, Tensor]:
    """Return float32 features of a batch under the trial's precision."""
    with compute.autocast():
        features = method.fusion.encode(batch)
    return {name: z.float() for name, z in features.items()}


class TrainingLoop:
    """Trains a method and remembers the weights of its best validation epoch.

    Args:
        method: the method, on the device.
        train: training split whose `available` already has the missing mask.
        val: validation split.
        main: pattern whose validation score selects the epoch.
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
        self.optimizer = make_optimizer(method, self.spec)
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

    def epochs(self) -> Iterator[list[HistoryRow]]:
        """Run the epochs that are left, yielding each one's history rows."""
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
        }
        groups = {"model": weights(self.method), "best": self.best, "optimizer": optimizer_tensors(self.optimizer)}
        return pack(groups, header)

    def restore(self, data: bytes) -> None:
        """Go on from a `checkpoint`; the numbers are those of an unbroken training.

        Raises:
            SafetensorError, KeyError, ValueError: the bytes are no checkpoint of this model; nothing was changed.
        """
        groups, header = unpack(data)
        shapes = {name: tensor.shape for name, tensor in self.method.state_dict().items()}
        if {name: tensor.shape for name, tensor in groups["model"].items()} != shapes:
            raise ValueError("the checkpoint is of another model")
        self.method.load_state_dict(groups["model"])
        self.best = {name: tensor.to(self.compute.device) for name, tensor in groups["best"].items()}
        restore_optimizer(self.optimizer, groups["optimizer"])
        self.epoch, self.best_epoch = header["epoch"], header["best_epoch"]
        self.best_score = header["best_score"]
        self.history = [HistoryRow(*row) for row in header["history"]]

    def _train_epoch(self) -> list[HistoryRow]:
        seed_everything(self.spec.seed, _EPOCH_STREAM, self.epoch)
        self.method.train()
        order = self.rows[order_of_epoch(len(self.rows), self.spec.seed, self.epoch)]
        starts = range(0, len(order), self.spec.batch_size)
        sums: dict[str, Tensor] = {}
        counts: dict[str, int] = {}
        for index, start in enumerate(starts):
            self._set_learning_rate((self.epoch - 1) * len(starts) + index, self.spec.epochs * len(starts))
            batch = self.train.batch(order[start : start + self.spec.batch_size])
            for name, term in self._step(batch).items():
                value = term.mean.detach() * term.count
                sums[name] = sums[name] + value if name in sums else value
                counts[name] = counts.get(name, 0) + term.count
        return [self._finite_row(f"train/{name}", sums[name].item() / counts[name], counts[name]) for name in sums]

    def _step(self, batch: Batch) -> dict[str, Term]:
        self.optimizer.zero_grad(set_to_none=True)
        terms = self.method.losses(encode(self.method, batch, self.compute), batch)
        if terms:
            loss = sum(
                (term.weight * term.mean for term in terms.values()), start=torch.zeros((), device=self.compute.device)
            )
            loss.backward()  # type: ignore[no-untyped-call]  # torch declares no types here
            self.method.before_step()
            if self.spec.clip_norm > 0:
                torch.nn.utils.clip_grad_norm_(self.method.parameters(), self.spec.clip_norm)
            self.optimizer.step()
        return terms

    def _set_learning_rate(self, step: int, num_steps: int) -> None:
        rate = self.spec.learning_rate * learning_rate_factor(self.spec, step, num_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _validate(self) -> list[HistoryRow]:
        seen = self.val.has(self.main)
        logits, targets = self._main_logits(self.val)[seen], self.val.targets_host[seen]
        rows = [
            self._finite_row("val/loss", training_loss(logits, targets)),
            *(self._finite_row(f"val/{name}", score(logits, targets, name)) for name in (SELECTION_METRIC, "accuracy")),
        ]
        selected = rows[1].value
        if selected > self.best_score:
            self.best_score, self.best_epoch = selected, self.epoch
            self.best = weights(self.method)
        return rows

    def _main_logits(self, data: SplitData) -> Floats:
        self.method.eval()
        parts = []
        with torch.inference_mode():
            for batch in data.batches(EVALUATION_BATCH, self.main):
                features: Features = encode(self.method, batch, self.compute)
                logits = self.method.predict(features, self.main)
                assert logits is not None, "a method predicts its main pattern"
                parts.append(logits)
            return np.asarray(torch.cat(parts).float().cpu().numpy())

    def _finite_row(self, name: str, value: float, samples: int | None = None) -> HistoryRow:
        if not math.isfinite(value):
            raise TrialDivergedError(f"{name} is {value} in epoch {self.epoch}; try a smaller learning rate")
        return HistoryRow(self.epoch, name, value, samples)
