"""The losses that the weakness score compares."""

import numpy as np

from results.counts import Numbers

__all__ = ["training_loss"]


def training_loss(logits: Numbers, targets: Numbers) -> float:
    """Return the mean cross-entropy, or for (N, C) targets the mean binary cross-entropy over N * C entries."""
    wide = logits.astype(np.float64)
    if targets.ndim > 1:
        return float((np.logaddexp(0.0, wide) - wide * targets).mean())
    highest = wide.max(axis=1, keepdims=True)
    log_total = highest[:, 0] + np.log(np.exp(wide - highest).sum(axis=1))
    return float((log_total - wide[np.arange(len(wide)), targets]).mean())
