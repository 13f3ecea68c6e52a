"""A trial's scores under every metric, computed from its logits once and stored beside them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from results.metrics import METRICS
from results.schema import ROUTES, Samples, TrialRecord
from results.testbed import Profile

__all__ = ["SCORES_SCHEMA", "ScoreRow", "metric_versions", "score_rows", "scores_table"]

SCORES_SCHEMA = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),  # val or test
        pa.field("route", pa.string(), nullable=False),  # probe or head
        pa.field("pattern", pa.string(), nullable=False),  # key of the available modalities
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),  # in [0, 1]
    ]
)
"""Columns of a trial's `scores.parquet`; a compacted store's has `trial_id` before them."""


class ScoreRow(NamedTuple):
    """One score, with the columns of `SCORES_SCHEMA`."""

    split: str
    route: str
    pattern: str
    metric: str
    value: float


def metric_versions() -> dict[str, int]:
    """Return the version of every metric; scores that were stored with other versions are computed anew."""
    return {name: metric.version for name, metric in METRICS.items()}


def score_rows(record: TrialRecord, samples: Samples) -> Iterator[ScoreRow]:
    """Score a trial on validation and test, by every route, pattern and metric.

    Raises:
        MmptError: its samples are not those of the data set, or a logit is not finite.
    """
    for split in ("val", "test"):
        for route in ROUTES:
            profile = Profile.of(record, samples, split=split, route=route)
            for pattern in sorted(profile.parts, key=lambda pattern: (-len(pattern), pattern)):
                for metric in METRICS:
                    yield ScoreRow(split, route, pattern.key, metric, profile.score(pattern, metric))


def scores_table(record: TrialRecord, samples: Samples) -> pa.Table:
    """Return a trial's scores with the columns of `SCORES_SCHEMA`."""
    columns = list(zip(*score_rows(record, samples), strict=True)) or [()] * len(SCORES_SCHEMA)
    arrays = [
        pa.array(np.asarray(values) if name == "value" else list(values), field.type)
        for name, values, field in zip(ScoreRow._fields, columns, SCORES_SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SCORES_SCHEMA)
