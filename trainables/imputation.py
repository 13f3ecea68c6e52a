"""Evaluating a model whose missing features are made up: autoencoders on frozen features, then the joint probe."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from results.schema import HistoryRow
from search_spaces.errors import MmptError
from search_spaces.modality import Pattern
from trainables.data import SplitData
from trainables.devices import seed_everything
from trainables.vae import VaeSettings
from trainables.vae_fit import FittedVae, fit_vae

__all__ = ["PatternFeatures", "complete_features", "completed", "fit_imputers", "imputation_history"]

PatternFeatures = dict[Pattern, dict[str, Tensor]]
"""pattern -> modality -> features (N, width), the full pattern first."""
_VAE_STREAM = 3


def complete_features(
    features: Mapping[str, PatternFeatures], splits: Mapping[str, SplitData], settings: VaeSettings, seed: int
) -> tuple[dict[str, PatternFeatures], dict[Pattern, FittedVae]]:
    """Return every split's features in which each pattern has all modalities, and the autoencoders that made them up.

    Args:
        features: of each split, with each modality's features as if it were alone, in every pattern.
        splits: `train` (with the missing mask), `val` and others.
        settings: how the autoencoders are trained.
        seed: of their weights, noise and sample order.

    Raises:
        MmptError: no training or validation sample has every modality.
    """
    imputers = fit_imputers(features, splits, settings, seed)
    widths = {name: z.shape[1] for name, z in features["train"][_full(features)].items()}
    served = {
        split: {pattern: completed(own, widths, imputers.get(pattern)) for pattern, own in patterned.items()}
        for split, patterned in features.items()
    }
    return served, imputers


def imputation_history(imputers: Mapping[Pattern, FittedVae]) -> list[HistoryRow]:
    """Return what the history says of the autoencoders."""
    return [
        HistoryRow(None, f"imputation/{pattern.key}/{name}", value)
        for pattern, imputer in imputers.items()
        for name, value in (("epoch", imputer.epoch), ("val_error", imputer.val_error))
    ]


def fit_imputers(
    features: Mapping[str, PatternFeatures], splits: Mapping[str, SplitData], settings: VaeSettings, seed: int
) -> dict[Pattern, FittedVae]:
    """Return one autoencoder per pattern in which something is missing, fitted on complete training samples.

    With two modalities that is one per direction. With more, every pattern has its own, so that none needs to be told
    what is available.
    """
    seed_everything(seed, _VAE_STREAM)
    full = _full(features)
    pairs = {split: _complete_rows(features[split][full], splits[split], full) for split in ("train", "val")}
    for split, complete in pairs.items():
        if not len(next(iter(complete.values()))):
            raise MmptError(f"imputation needs {split} samples that have all of {', '.join(full)}; there is none")
    fitted = {}
    for pattern in features["train"]:
        missing = [name for name in full if name not in pattern]
        if missing:
            train, val = ((_joined(pairs[s], pattern), _joined(pairs[s], missing)) for s in ("train", "val"))
            fitted[pattern] = fit_vae(train, val, settings, seed)
    return fitted


def completed(own: Mapping[str, Tensor], widths: Mapping[str, int], imputer: FittedVae | None) -> dict[str, Tensor]:
    """Return features (N, width) of every modality: the own ones as they are, the others made up from them."""
    if imputer is None:
        return dict(own)
    missing = [name for name in sorted(widths) if name not in own]
    parts = torch.split(imputer.impute(_joined(own, own)), [widths[name] for name in missing], dim=1)
    return {**own, **dict(zip(missing, parts, strict=True))}


def _full(features: Mapping[str, PatternFeatures]) -> Pattern:
    return max(features["train"], key=len)


def _complete_rows(features: Mapping[str, Tensor], data: SplitData, full: Pattern) -> dict[str, Tensor]:
    rows = torch.from_numpy(np.flatnonzero(data.has(full))).to(data.device)
    return {name: z[rows].clone() for name, z in features.items()}  # free of inference mode


def _joined(features: Mapping[str, Tensor], names: Iterable[str]) -> Tensor:
    return torch.cat([features[name] for name in sorted(names)], dim=1)
