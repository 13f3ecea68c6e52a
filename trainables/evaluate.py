"""After training: frozen features, probes and the method's own predictions, under every availability pattern."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from results.losses import training_loss
from results.schema import Floats, HistoryRow, LogitsKey
from search_spaces.modality import Pattern, patterns
from trainables.api import Method
from trainables.data import SplitData
from trainables.devices import Compute
from trainables.loop import EVALUATION_BATCH, encode
from trainables.probe import ProbeTask, fit_probes

__all__ = ["Evaluation", "evaluate"]

PatternFeatures = dict[Pattern, dict[str, Tensor]]


@dataclass(frozen=True)
class Evaluation:
    """Logits by route, pattern and split, and the probes' facts as history rows."""

    logits: dict[LogitsKey, Floats]
    history: list[HistoryRow]


def evaluate(method: Method, splits: Mapping[str, SplitData], used: tuple[str, ...], compute: Compute) -> Evaluation:
    """Evaluate a trained method on validation and test.

    Args:
        method: with the weights to be evaluated.
        splits: `train` (with the missing mask), `val` and `test`.
        used: the modalities that the method has encoders for.
        compute: device and precision.
    """
    method.eval()
    every = patterns(used)
    with torch.inference_mode():
        features = {name: _features(method, data, every, compute) for name, data in splits.items()}
        logits = {
            LogitsKey("head", pattern.key, split): _host(predicted)
            for split in ("val", "test")
            for pattern in every
            if (predicted := method.predict(features[split][pattern], pattern)) is not None
        }
    probed, history = _probe(method, splits, features, every)
    return Evaluation({**logits, **probed}, history)


def _features(method: Method, data: SplitData, every: tuple[Pattern, ...], compute: Compute) -> PatternFeatures:
    """Encode a split once per pattern, or once in all where features do not depend on the pattern."""
    if method.fusion.depends_on_pattern:
        return {pattern: _encode_split(method, data, pattern, compute) for pattern in every}
    shared = _encode_split(method, data, every[0], compute)
    return {pattern: {name: shared[name] for name in pattern} for pattern in every}


def _encode_split(method: Method, data: SplitData, pattern: Pattern, compute: Compute) -> dict[str, Tensor]:
    parts = [encode(method, batch, compute) for batch in data.batches(EVALUATION_BATCH, pattern)]
    return {name: torch.cat([part[name] for part in parts]) for name in pattern}


def _probe(
    method: Method, splits: Mapping[str, SplitData], features: Mapping[str, PatternFeatures], every: tuple[Pattern, ...]
) -> tuple[dict[LogitsKey, Floats], list[HistoryRow]]:
    info, train = method.info, splits["train"]
    tasks, hosts = {}, {}
    for pattern in every:
        rows, val_rows = (np.flatnonzero(splits[split].has(pattern)) for split in ("train", "val"))
        index, val_index = (torch.from_numpy(numbers).to(train.device) for numbers in (rows, val_rows))
        joined = {split: _joined(features[split][pattern]) for split in splits}
        tasks[pattern] = ProbeTask(
            train=joined["train"][index],
            train_targets=train.targets[index],
            val=joined["val"][val_index],
            val_targets=splits["val"].targets_host[val_rows],
        )
        hosts[pattern] = (joined, train.targets_host[rows])
    probes = fit_probes(
        tasks,
        num_classes=info.num_classes,
        multi_label=info.multi_label,
        seed=method.spec.seed,
    )
    logits: dict[LogitsKey, Floats] = {}
    history: list[HistoryRow] = []
    for pattern, probe in probes.items():
        joined, targets = hosts[pattern]
        for split in ("val", "test"):
            logits[LogitsKey("probe", pattern.key, split)] = _host(probe.logits(joined[split]))
        train_loss = training_loss(_host(probe.logits(tasks[pattern].train)), targets)
        prefix = f"probe/{pattern.key}"
        history += [
            HistoryRow(None, f"{prefix}/train_loss", train_loss, len(targets)),
            HistoryRow(None, f"{prefix}/learning_rate", probe.learning_rate),
            HistoryRow(None, f"{prefix}/epoch", probe.epoch),
        ]
    return logits, history


def _joined(features: Mapping[str, Tensor]) -> Tensor:
    """Concatenate a pattern's features in alphabetical order, free of inference mode."""
    return torch.cat([features[name] for name in sorted(features)], dim=1).clone()


def _host(logits: Tensor) -> Floats:
    return np.asarray(logits.detach().float().cpu().numpy())
