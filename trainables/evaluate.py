"""After training: frozen features, probes and the method's own predictions, under every availability pattern."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from results.losses import training_loss
from results.schema import Floats, HistoryRow, LogitsKey
from search_spaces.modality import Pattern, patterns
from trainables.api import Method
from trainables.data import SplitData
from trainables.devices import Compute
from trainables.imputation import PatternFeatures, complete_features, imputation_history
from trainables.loop import EVALUATION_BATCH, encode
from trainables.probe import FittedProbe, ProbeTask, fit_probes
from trainables.vae_fit import FittedVae

__all__ = ["Evaluation", "evaluate", "features_of", "join_features"]


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation gives.

    Attributes:
        logits: by route, pattern and split.
        history: the probes' and the autoencoders' facts.
        probes: pattern -> the probe that serves it.
        imputers: pattern -> the autoencoder that completes its features, if the method does so.
    """

    logits: dict[LogitsKey, Floats]
    history: list[HistoryRow]
    probes: dict[Pattern, FittedProbe]
    imputers: dict[Pattern, FittedVae] = field(default_factory=dict)


def evaluate(method: Method, splits: Mapping[str, SplitData], used: tuple[str, ...], compute: Compute) -> Evaluation:
    """Evaluate a trained method on validation and test.

    Args:
        method: with the weights to be evaluated.
        splits: `train` (with the missing mask), `val` and `test`.
        used: the modalities that the method has encoders for.
        compute: device and precision.
    """
    features = features_of(method, splits, used, compute)
    with torch.inference_mode():
        logits = {
            LogitsKey("head", pattern.key, split): _host(predicted)
            for split in ("val", "test")
            for pattern in patterns(used)
            if (predicted := method.predict(features[split][pattern], pattern)) is not None
        }
    recipe = method.imputation()
    if recipe is None:
        probed = _probe(method, splits, features, features)
        return replace(probed, logits={**logits, **probed.logits})
    settings, refit = recipe
    served, imputers = complete_features(features, splits, settings, method.spec.seed)
    full = patterns(used)[0]
    real = {name: {full: patterned[full]} for name, patterned in features.items()}
    probed = _probe(method, splits, served if refit else real, served)
    history = [*imputation_history(imputers), *probed.history]
    return replace(probed, logits={**logits, **probed.logits}, history=history, imputers=imputers)


def features_of(
    method: Method, splits: Mapping[str, SplitData], used: tuple[str, ...], compute: Compute
) -> dict[str, PatternFeatures]:
    """Return each split's frozen features: all of an evaluation that goes through encoders."""
    method.eval()
    every = patterns(used)
    with torch.inference_mode():
        return {name: _features(method, data, every, compute) for name, data in splits.items()}


def _features(method: Method, data: SplitData, every: tuple[Pattern, ...], compute: Compute) -> PatternFeatures:
    """Encode a split once per pattern, or once in all where features do not depend on the pattern.

    Features that are to be completed are those of each modality alone, in every pattern.
    """
    if not method.fusion.depends_on_pattern:
        shared = _encode_split(method, data, every[0], compute)
    elif method.imputation() is None:
        return {pattern: _encode_split(method, data, pattern, compute) for pattern in every}
    else:
        alone = (_encode_split(method, data, pattern, compute) for pattern in every if len(pattern) == 1)
        shared = {name: z for features in alone for name, z in features.items()}
    return {pattern: {name: shared[name] for name in pattern} for pattern in every}


def _encode_split(method: Method, data: SplitData, pattern: Pattern, compute: Compute) -> dict[str, Tensor]:
    parts = [encode(method, batch, compute) for batch in data.batches(EVALUATION_BATCH, pattern)]
    return {name: data.in_stored_order(torch.cat([part[name] for part in parts])) for name in pattern}


def _probe(
    method: Method,
    splits: Mapping[str, SplitData],
    fitted: Mapping[str, PatternFeatures],
    served: Mapping[str, PatternFeatures],
) -> Evaluation:
    """Fit a probe per pattern of `fitted`; a pattern that is served without one gets the first pattern's."""
    info = method.info
    tasks = {pattern: _probe_task(splits, fitted, pattern) for pattern in fitted["train"]}
    probes = fit_probes(tasks, num_classes=info.num_classes, multi_label=info.multi_label, seed=method.spec.seed)
    logits: dict[LogitsKey, Floats] = {}
    history: list[HistoryRow] = []
    serving: dict[Pattern, FittedProbe] = {}
    for pattern in served["train"]:
        probe = probes.get(pattern if pattern in tasks else next(iter(tasks)))
        if probe is None:
            continue
        serving[pattern] = probe
        predicted = {split: _host(probe.logits(join_features(served[split][pattern]))) for split in splits}
        logits |= {LogitsKey("probe", pattern.key, split): predicted[split] for split in ("val", "test")}
        rows = np.flatnonzero(splits["train"].has(pattern))
        train_loss = training_loss(predicted["train"][rows], splits["train"].targets_host[rows])
        prefix = f"probe/{pattern.key}"
        history += [
            HistoryRow(None, f"{prefix}/train_loss", train_loss, len(rows)),
            HistoryRow(None, f"{prefix}/learning_rate", probe.learning_rate),
            HistoryRow(None, f"{prefix}/epoch", probe.epoch),
        ]
    return Evaluation(logits, history, serving)


def _probe_task(
    splits: Mapping[str, SplitData], features: Mapping[str, PatternFeatures], pattern: Pattern
) -> ProbeTask:
    """Return the features of the training and validation samples that have the whole pattern."""
    rows = {split: np.flatnonzero(splits[split].has(pattern)) for split in ("train", "val")}
    joined = {
        split: join_features(features[split][pattern])[torch.from_numpy(own).to(splits[split].device)]
        for split, own in rows.items()
    }
    return ProbeTask(
        train=joined["train"],
        train_targets=splits["train"].targets[torch.from_numpy(rows["train"]).to(splits["train"].device)],
        val=joined["val"],
        val_targets=splits["val"].targets_host[rows["val"]],
    )


def join_features(features: Mapping[str, Tensor]) -> Tensor:
    """Concatenate a pattern's features in alphabetical order, free of inference mode."""
    return torch.cat([features[name] for name in sorted(features)], dim=1).clone()


def _host(logits: Tensor) -> Floats:
    return np.asarray(logits.detach().float().cpu().numpy())
