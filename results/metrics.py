"""Scores and losses from logits. Scores are computed from counts per class, so that many mixtures cost one matmul."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.errors import InvalidValueError, UnknownNameError

__all__ = ["METRICS", "Counts", "Metric", "contributions", "metric_named", "score", "training_loss"]

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
            actual=_one_hot(targets, num_classes).sum(axis=0).astype(np.float64),
            exact=wide[..., -1],
            samples=len(targets),
        )


@dataclass(frozen=True)
class Metric:
    """A score in [0, 1], larger is better.

    Attributes:
        title: its name in captions.
        of: computes it from counts, one value per leading index.
    """

    title: str
    of: Callable[[Counts], Doubles]


def _ratio(above: Doubles, below: Doubles) -> Doubles:
    """Divide, with 0 where there is nothing to divide by (scikit-learn's `zero_division=0`)."""
    quotient: Doubles = np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)
    return quotient


def _macro_f1(counts: Counts) -> Doubles:
    per_class = _ratio(2.0 * counts.true_positive, counts.predicted + counts.actual)
    return np.asarray(per_class.mean(axis=-1))


def _micro_f1(counts: Counts) -> Doubles:
    above = np.asarray(2.0 * counts.true_positive.sum(axis=-1))
    return _ratio(above, np.asarray(counts.predicted.sum(axis=-1) + counts.actual.sum()))


def _accuracy(counts: Counts) -> Doubles:
    return np.asarray(counts.exact / counts.samples)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "macro_f1": Metric("macro F1", _macro_f1),
        "micro_f1": Metric("micro F1", _micro_f1),
        "accuracy": Metric("accuracy", _accuracy),
    }
)
"""`macro_f1` averages over all classes, also those without samples; `accuracy` of multi-label data is exact match."""


def metric_named(name: str) -> Metric:
    """Return a metric by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name]


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
    actual = _one_hot(targets, logits.shape[1])
    predicted = logits > 0 if targets.ndim > 1 else _one_hot(logits.argmax(axis=1), logits.shape[1])
    exact = (predicted == actual).all(axis=1, keepdims=True)
    return np.concatenate([predicted & actual, predicted, exact], axis=1)


def score(logits: Numbers, targets: Numbers, metric: str = "macro_f1") -> float:
    """Return one metric of (N, C) logits."""
    sums = contributions(logits, targets).sum(axis=0)
    return float(metric_named(metric).of(Counts.of(sums, targets)))


def training_loss(logits: Numbers, targets: Numbers) -> float:
    """Return the mean cross-entropy, or for (N, C) targets the mean binary cross-entropy over N * C entries."""
    wide = logits.astype(np.float64)
    if targets.ndim > 1:
        return float((np.logaddexp(0.0, wide) - wide * targets).mean())
    highest = wide.max(axis=1, keepdims=True)
    log_total = highest[:, 0] + np.log(np.exp(wide - highest).sum(axis=1))
    return float((log_total - wide[np.arange(len(wide)), targets]).mean())


def _one_hot(targets: Numbers, num_classes: int) -> npt.NDArray[np.bool_]:
    hot: npt.NDArray[np.bool_] = (
        targets.astype(bool) if targets.ndim > 1 else targets[:, None] == np.arange(num_classes)
    )
    return hot
