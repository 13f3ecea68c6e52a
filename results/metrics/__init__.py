"""Metrics, one file each: the file defines `METRIC`, its name is the metric's key."""

from results.counts import Counts, Metric, Numbers, contributions
from search_spaces.catalog import Catalog

__all__ = ["METRICS", "metric_named", "score"]

METRICS: Catalog[Metric] = Catalog("metric", "results.metrics", "METRIC")


def metric_named(name: str) -> Metric:
    """Return a metric by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    return METRICS.get(name)


def score(logits: Numbers, targets: Numbers, metric: str = "macro_f1") -> float:
    """Return one metric of (N, C) logits."""
    sums = contributions(logits, targets).sum(axis=0)
    return float(metric_named(metric).of(Counts.of(sums, targets)))
