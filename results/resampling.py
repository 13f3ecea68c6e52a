"""Bootstrap resamples of the test samples: the scores of every training seed on each, the same for all methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from results.counts import Counts, Doubles, Numbers, one_hot
from results.intervals import Estimate
from results.metrics import metric_named
from search_spaces.errors import InvalidValueError

__all__ = ["Draw", "Resampled", "resample"]

_CHUNK_WEIGHTS = 4_000_000  # weights held as floats at a time: 16 MB in 32 bits


class Draw(NamedTuple):
    """Which resamples of the test samples: equal draws have equal weights, so that comparisons are paired."""

    samples: int
    resamples: int
    seed: int


@dataclass(frozen=True, eq=False)
class Resampled:
    """A method's scores on the test samples and on resamples of them; `first - second` pairs two methods.

    Attributes:
        observed: (K,) score of each seed.
        replicates: (R, K) score of each seed on each resample.
        draw: the resamples.
        targets: of the test samples.
        lowest: the smallest value there can be: 0, or -1 for a difference.
    """

    observed: Doubles
    replicates: Doubles
    draw: Draw
    targets: Numbers
    lowest: float = 0.0

    def __sub__(self, other: "Resampled") -> "Resampled":
        """Return the difference, paired by test sample and by seed: seed k of one belongs to seed k of the other.

        Raises:
            InvalidValueError: they have different seeds, test samples or resamples.
        """
        if self.replicates.shape != other.replicates.shape:
            shapes = (self.replicates.shape, other.replicates.shape)
            raise InvalidValueError("resamples and seeds of two methods", shapes, "the same number of each")
        if self.draw != other.draw or not np.array_equal(self.targets, other.targets):
            raise InvalidValueError("resamples of two methods", (self.draw, other.draw), "the same test samples")
        observed, replicates = self.observed - other.observed, self.replicates - other.replicates
        return Resampled(observed, replicates, self.draw, self.targets, lowest=-1.0)

    def estimate(self) -> Estimate:
        """Return the mean over seeds with what test samples and seeds add to its variance (see `results.intervals`)."""
        samples, seeds = len(self.targets), len(self.observed)
        value = float(self.observed.mean())
        means = self.replicates.mean(axis=1)
        shared, between = float(means.var(ddof=1)), 0.0
        if seeds > 1:
            interaction = float((self.replicates - means[:, None]).var(axis=0, ddof=1).sum()) / (seeds - 1)
            shared = max(0.0, shared - interaction / seeds)
            between = float(self.observed.var(ddof=1)) / seeds
        unbiased = samples / (samples - 1) if samples > 1 else 1.0
        return Estimate(value, shared * unbiased, between, samples, seeds, self.lowest)


def resample(
    parts: Sequence[Numbers], targets: Numbers, metric: str = "macro_f1", *, resamples: int = 1000, seed: int = 0
) -> Resampled:
    """Score a method on the test samples and on bootstrap resamples of them.

    Class totals are resampled with the samples. A class that no sample (of a resample) has counts as the metric says.

    Args:
        parts: for each training seed the (N, 2 C + 1) contributions (`results.counts.contributions`), Boolean or
            expectations; all seeds on the same samples in the same order.
        targets: (N,) class numbers or (N, C) zeros and ones.
        metric: its name.
        resamples: how many; the standard error's own relative error is about 1 / sqrt(2 * resamples).
        seed: of the resampling; methods resampled with the same seed are paired.

    Raises:
        InvalidValueError: no seed, no sample, fewer than 2 resamples, shapes that do not fit or a value not finite.
        UnknownNameError: no such metric.
    """
    _check(parts, targets, resamples)
    scored = metric_named(metric)
    draw = Draw(len(targets), resamples, seed)
    columns = [np.hstack([part, one_hot(targets, (part.shape[1] - 1) // 2)]) for part in parts]
    observed = [scored.of(_counts(each.sum(axis=0, dtype=np.float64), draw.samples)) for each in columns]
    replicates = [scored.of(_counts(_resampled_sums(each, draw), draw.samples)) for each in columns]
    return Resampled(np.array(observed), np.stack(replicates, axis=1), draw, targets)


def _check(parts: Sequence[Numbers], targets: Numbers, resamples: int) -> None:
    if resamples < 2:  # noqa: PLR2004 (a variance)
        raise InvalidValueError("resamples", resamples, "at least 2")
    shapes = {part.shape for part in parts}
    classes = targets.shape[1] if targets.ndim > 1 else max(((shape[-1] - 1) // 2 for shape in shapes), default=0)
    if len(targets) == 0 or shapes != {(len(targets), 2 * classes + 1)}:
        allowed = "one (N, 2 C + 1) array per seed and (N,) or (N, C), N > 0"
        raise InvalidValueError("contributions and targets", (sorted(shapes), targets.shape), allowed)
    for place, part in enumerate(parts):
        if not np.isfinite(part).all():
            raise InvalidValueError("contributions", f"NaN or infinity in seed {place}", "finite numbers")


@lru_cache(maxsize=4)
def _weights(draw: Draw) -> npt.NDArray[np.uint8]:
    """Return how often each resample has each sample, (R, N): multinomial counts."""
    random = np.random.default_rng(draw.seed)
    weights = np.empty((draw.resamples, draw.samples), dtype=np.uint8)  # a count above 255 has chance 1e-500
    for row in weights:
        row[:] = np.bincount(random.integers(0, draw.samples, draw.samples), minlength=draw.samples)
    weights.flags.writeable = False
    return weights


def _resampled_sums(columns: Numbers, draw: Draw) -> Doubles:
    """Return the columns' sums over each resample, (R, columns)."""
    dtype: type[np.floating] = np.float32 if columns.dtype == np.bool_ else np.float64  # 32 bits count to 2^24 exactly
    numeric: Numbers = columns.astype(dtype)
    rows = max(1, _CHUNK_WEIGHTS // draw.samples)
    weights: Numbers = _weights(draw)
    chunks = [weights[start : start + rows].astype(dtype) @ numeric for start in range(0, draw.resamples, rows)]
    return np.concatenate(chunks).astype(np.float64)


def _counts(sums: Doubles, samples: int) -> Counts:
    """Read sums of contributions and one-hot targets, (..., 3 C + 1)."""
    classes = sums.shape[-1] // 3
    return Counts(
        true_positive=sums[..., :classes],
        predicted=sums[..., classes : 2 * classes],
        exact=sums[..., 2 * classes],
        actual=sums[..., 2 * classes + 1 :],
        samples=samples,
    )
