"""Accuracy: the share of samples whose prediction is right; multi-label: right in every class."""

import numpy as np

from results.counts import Counts, Doubles, Metric

__all__ = ["METRIC"]


def _accuracy(counts: Counts) -> Doubles:
    return np.asarray(counts.exact / counts.samples)


METRIC = Metric("accuracy", _accuracy, linear=True)
