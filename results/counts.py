"""Counts per class, what each sample adds to them, and what a metric is: a function of those counts.

That way the scores of many mixtures of logits cost one matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.errors import InvalidValueError

__all__ = ["Counts", "Metric", "contributions", "one_hot", "ratio"]

Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Counts:
    """Sufficient statistics of every metric here; leading axes are free (for instance one per seed).

    Attributes:
        true_positive: (..., C) samples of a class that were predicted as it.
        predicted: (..., C) samples predicted as a class.
        actual: (C,) samples of a class.
        exact: (...) samples whose prediction is right in every class.
        samples: how many samples there are.
    """

    true_positive: Doubles
    predicted: Doubles
    actual: Doubles
    exact: Doubles
    samples: int

    @classmethod
    def of(cls, sums: Numbers, targets: Numbers) -> "Counts":
        """Read sums of `contributions` over samples, (..., 2 C + 1), given all targets."""
        num_classes = (sums.shape[-1] - 1) // 2
        wide = sums.astype(np.float64)
        return cls(
            true_positive=wide[..., :num_classes],
            predicted=wide[..., num_classes:-1],
            actual=one_hot(targets, num_classes).sum(axis=0).astype(np.float64),
            exact=wide[..., -1],
            samples=len(targets),
        )


@dataclass(frozen=True)
class Metric:
    """A score in [0, 1], larger is better.

    Attributes:
        title: its name in captions.
        of: computes it from counts, one value per leading index.
        linear: it is a mean over samples, so its expectation under random missing modalities needs no simulation.
        version: raised when its numbers change; stored scores of another version are computed anew.
    """

    title: str
    of: Callable[[Counts], Doubles]
    linear: bool = False
    version: int = 1


def ratio(above: Doubles, below: Doubles) -> Doubles:
    """Return above / below, with 0 where there is nothing to divide by (scikit-learn's `zero_division=0`)."""
    quotient: Doubles = np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)
    return quotient


def contributions(logits: Numbers, targets: Numbers) -> npt.NDArray[np.bool_]:
    """Return what each sample adds to the counts, (N, 2 C + 1): true positives, predictions, exact match.

    Args:
        logits: (N, C). The predicted class is the largest; multi-label: every class with sigmoid > 0.5, i.e. logit > 0.
        targets: (N,) class numbers, or (N, C) zeros and ones for multi-label data.

    Raises:
        InvalidValueError: the shapes do not belong together or there is no sample.
    """
    fits = logits.ndim == 2 and len(logits) == len(targets) > 0 and targets.shape in (logits.shape, logits.shape[:1])  # noqa: PLR2004 (rows and classes)
    if not fits:
        raise InvalidValueError("logits and targets", (logits.shape, targets.shape), "(N, C) and (N,) or (N, C), N > 0")
    actual = one_hot(targets, logits.shape[1])
    predicted = logits > 0 if targets.ndim > 1 else one_hot(logits.argmax(axis=1), logits.shape[1])
    exact = (predicted == actual).all(axis=1, keepdims=True)
    return np.concatenate([predicted & actual, predicted, exact], axis=1)


def one_hot(targets: Numbers, num_classes: int) -> npt.NDArray[np.bool_]:
    """Return (N, C) targets; those that are it already are only made Boolean."""
    hot: npt.NDArray[np.bool_] = (
        targets.astype(bool) if targets.ndim > 1 else targets[:, None] == np.arange(num_classes)
    )
    return hot
