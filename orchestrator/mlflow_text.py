"""What an MLflow run shows of a trial: its name, params, tags and metric points, as plain values without MLflow."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from results.schema import SCHEMA_VERSION, HistoryRow, Samples, TrialRecord
from results.store import Failure
from search_spaces.missing_rates import INDEPENDENT
from search_spaces.spec import TrialSpec, content_hash

__all__ = ["COMPLETE", "ERROR", "SWEEP", "TRIAL_ID", "Child", "Points", "TimedPoint", "done_child", "failed_child"]
__all__ += ["params", "row_points", "run_name", "spec_tags"]

TRIAL_ID, SWEEP, COMPLETE, ERROR = "mmpt.trial_id", "mmpt.sweep", "mmpt.complete", "mmpt.error"

_LEFT_OUT = "mmpt.metrics_left_out"

_MAX_PARAM, _MAX_TAG, _MAX_KEY, _MAX_NAME = 6000, 8000, 250, 160
_MOST_NAMES = 60
"""Metrics of one child: with more, MLflow's tables and charts become slow and unreadable."""
_ILLEGAL = re.compile(r"[^\w\-. :/]", re.ASCII)
_AXES: tuple[str, ...] = (
    "dataset",
    "method",
    "fusion",
    "learning_rate",
    "batch_size",
    "epochs",
    "seed",
    "weight_decay",
)
_AXES += ("schedule", "warmup", "clip_norm", "patience", "missing")


Points = dict[tuple[str, int], float]
"""Metric values by (name, step); the step is an epoch, a percentage of p_test, or 0 for the whole trial."""


class TimedPoint(NamedTuple):
    """A point and when it became known: MLflow keeps the same point of the same time only once."""

    name: str
    step: int
    value: float
    time_ms: int


@dataclass(frozen=True, kw_only=True)
class Child:
    """All that the MLflow run of one finished or failed trial holds, derived from the store alone."""

    trial_id: str
    spec: TrialSpec
    tags: dict[str, str]
    points: Points
    seconds: float
    error: str | None = None


def done_child(record: TrialRecord, samples: Samples) -> Child:
    """Return what a finished trial shows: provenance, epoch curves, final metrics and curves over p_test."""
    from results.summary import final_metrics, p_test_curves  # noqa: PLC0415 (scikit-learn: the driver starts faster)

    columns = (record.history[name] for name in ("epoch", "name", "value"))
    history = row_points(HistoryRow(epoch, name, value) for epoch, name, value in zip(*columns, strict=True))
    points: Points = {key: value for key, value in history.items() if key[1]}  # the curves first: see `_at_most`
    for name, curve in p_test_curves(record, samples).items():
        points.update({(_legal(name), round(percent)): value for percent, value in curve})
    points.update({(_legal(name), 0): value for name, value in final_metrics(record, samples).items()})
    points, left_out = _at_most(_MOST_NAMES, _finite({**points, **history}))
    note = {_LEFT_OUT: f"{left_out} (all are in the store)"} if left_out else {}
    return Child(
        trial_id=record.trial_id,
        spec=record.spec,
        tags={**_provenance(record), **note},
        points=points,
        seconds=record.fact("seconds/total") or 0.0,
    )


def failed_child(failure: Failure) -> Child:
    """Return what a failed trial shows: its error in one line; a cut one says where the whole is."""
    line = " ".join(failure.error.split()) or "unknown error"
    if len(line) > _MAX_TAG:
        note = f" ... (all {len(line)} characters are in the store: failures/{failure.trial_id}.json)"
        line = line[: _MAX_TAG - len(note)] + note
    spec = TrialSpec.from_config(failure.spec)
    return Child(trial_id=failure.trial_id, spec=spec, tags={ERROR: line}, points={}, seconds=0.0, error=line)


def row_points(rows: Iterable[HistoryRow]) -> Points:
    """Return history rows as points; NaN and infinity, which MLflow cannot draw, are left out."""
    points: Points = {}
    for row in rows:
        step = 0 if row.epoch is None or row.epoch != row.epoch else int(row.epoch)
        points[_legal(row.name), step] = float(row.value)
    return _finite(points)


def params(spec: TrialSpec) -> dict[str, str]:
    """Return the sweep's axes, flattened; a value longer than MLflow takes goes on under `<name>.part2`, ..."""
    flat: dict[str, Any] = {name: getattr(spec, name) for name in _AXES}
    flat["p_train"] = spec.p_train
    for prefix, values in (
        ("p_train", spec.p_train.rates),
        ("method", spec.method_params),
        ("dataset", spec.dataset_params),
        ("encoder", spec.encoders),
    ):
        flat.update({f"{prefix}.{_legal(str(name))}": value for name, value in values.items()})
    return _in_parts({name: str(value) for name, value in flat.items()})


def run_name(spec: TrialSpec) -> str:
    """Return `<method> <what sets it apart> seed <n>`, at most 160 characters."""
    rates = [f"p_train={spec.p_train}"] if spec.p_train else []
    rates += [f"missing={spec.missing}"] if spec.missing != INDEPENDENT else []
    chosen = [f"{name}={value}" for name, value in spec.method_params.items()]
    end = f" seed {spec.seed}"
    text = " ".join([spec.method, *rates, f"lr={spec.learning_rate:g}", *chosen])
    room = _MAX_NAME - len(end)
    return (text if len(text) <= room else text[: room - 4].rstrip() + " ...") + end


def spec_tags(trial_id: str, spec: TrialSpec, sweep: str) -> dict[str, str]:
    """Return the tags that are known before a trial starts."""
    return {
        TRIAL_ID: trial_id,
        SWEEP: sweep,
        "method": spec.method,
        "dataset": spec.dataset,
        "fusion": spec.fusion,
        "mmpt.schema_version": str(SCHEMA_VERSION),
    }


def _provenance(record: TrialRecord) -> dict[str, str]:
    provenance = record.facts.get("provenance", {})
    tags = {"mmpt.fingerprint": record.facts.get("fingerprint"), "mmpt.git_commit": provenance.get("git_commit")}
    tags.update({f"version.{name}": text for name, text in provenance.get("packages", {}).items()})
    return {_legal(name): str(value) for name, value in tags.items() if value}


def _at_most(most: int, points: Points) -> tuple[Points, int]:
    """Return the points of the first `most` names, and how many names are left out."""
    names = list(dict.fromkeys(name for name, _ in points))
    kept = set(names[:most])
    return {key: value for key, value in points.items() if key[0] in kept}, len(names) - len(kept)


def _finite(points: Points) -> Points:
    return {key: float(value) for key, value in points.items() if math.isfinite(value)}


def _legal(name: str) -> str:
    """Return a name that MLflow takes: other characters become `_`, path tricks go, long ones are shortened."""
    text = "/".join(part for part in _ILLEGAL.sub("_", name).split("/") if part not in ("", ".", "..")) or "_"
    return text if len(text) <= _MAX_KEY else f"{text[: _MAX_KEY - 17]}-{content_hash(name)}"


def _in_parts(values: Mapping[str, str]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for name, value in values.items():
        pieces = [value[start : start + _MAX_PARAM] for start in range(0, len(value), _MAX_PARAM)] or [""]
        parts[name] = pieces[0]
        parts.update({f"{name}.part{number}": piece for number, piece in enumerate(pieces[1:], start=2)})
    return parts
