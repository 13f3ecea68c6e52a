"""Macro F1, the metric of MMPT: the unweighted mean of the classes' F1, also of those without samples (F1 = 0)."""

import numpy as np

from results.counts import Counts, Doubles, Metric, ratio

__all__ = ["METRIC"]


def _macro_f1(counts: Counts) -> Doubles:
    per_class = ratio(2.0 * counts.true_positive, counts.predicted + counts.actual)
    return np.asarray(per_class.mean(axis=-1))


METRIC = Metric("macro F1", _macro_f1)
