"""Micro F1: true positives, predictions and positives are summed over the classes first."""

import numpy as np

from results.counts import Counts, Doubles, Metric, ratio

__all__ = ["METRIC"]


def _micro_f1(counts: Counts) -> Doubles:
    above = np.asarray(2.0 * counts.true_positive.sum(axis=-1))
    return ratio(above, np.asarray(counts.predicted.sum(axis=-1) + counts.actual.sum(axis=-1)))


METRIC = Metric("micro F1", _micro_f1)
