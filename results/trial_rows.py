"""One row per trial: what tables group, select and trace by. Small: a hundred thousand rows fit in memory at once."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from search_spaces.missing_rates import MissingRates
from search_spaces.spec import TrialSpec, Value, canonical_json

__all__ = ["TRIALS_SCHEMA", "as_frame", "axes_of", "configuration", "rates_text", "trial_row"]

TRIALS_SCHEMA = pa.schema(
    [
        pa.field("trial_id", pa.string(), nullable=False),
        pa.field("config", pa.string(), nullable=False),  # configuration: all trials that differ in the seed alone
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("fingerprint", pa.string(), nullable=False),  # of the prepared data
        pa.field("fusion", pa.string(), nullable=False),
        pa.field("p_train", pa.string(), nullable=False),  # missing rates in training as `rates_text` spells them
        pa.field("missing", pa.string(), nullable=False),  # the missing protocol
        pa.field("mask_fingerprint", pa.string(), nullable=False),  # of the training mask; "" before there is one
        pa.field("method", pa.string(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("reports", pa.string(), nullable=False),  # keys of the patterns it stands for, the main one first
        pa.field("axes", pa.string(), nullable=False),  # JSON: every axis but the seed, flat
        pa.field("titles", pa.string(), nullable=False),  # JSON: display names of method and data set
        pa.field("provenance", pa.string(), nullable=False),  # JSON: git commit and package versions
    ]
)
"""Columns of a trial's row, in memory and in the files of a compacted store."""

_NAMED = {"encoders": "encoder", "dataset_params": "dataset", "method_params": "method"}


def configuration(spec: TrialSpec, versions: Mapping[str, Any]) -> str:
    """Return a hash of a spec without its seed and of the versions of the method, fusion and encoders behind it.

    Trials of one configuration differ in their seed alone.
    """
    content = canonical_json({"spec": spec.replace(seed=0).to_config(), "versions": dict(versions)})
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def rates_text(rates: MissingRates, modalities: Sequence[str]) -> str:
    """Return missing rates as text, one spelling for all that mean the same on these modalities.

    >>> rates_text(MissingRates.shared(0.3), ["audio", "image"])
    'audio:0.3+image:0.3'
    """
    return "+".join(f"{name}:{rate!r}" for name, rate in rates.resolve(modalities).rates.items()) or "0"


def axes_of(spec: TrialSpec, modalities: Sequence[str]) -> dict[str, Value]:
    """Return a spec's axes, flat: parameters as `method.<name>`, `dataset.<name>`, encoders as `encoder.<modality>`.

    `p_train` is text, in the spelling of `rates_text`.
    """
    axes: dict[str, Value] = {}
    for name, value in spec.to_config().items():
        if name in _NAMED:
            axes |= {f"{_NAMED[name]}.{key}": item for key, item in value.items()}
        else:
            axes[name] = value
    return axes | {"p_train": rates_text(spec.p_train, modalities)}


def trial_row(trial_id: str, spec: TrialSpec, facts: Mapping[str, Any]) -> dict[str, str | int]:
    """Return a trial's row, with the columns of `TRIALS_SCHEMA`."""
    axes = axes_of(spec, facts["modalities"])
    seed = axes.pop("seed")
    return {
        "trial_id": trial_id,
        "config": configuration(spec, facts.get("versions", {})),
        "fingerprint": facts["fingerprint"],
        **{name: str(axes[name]) for name in ("dataset", "fusion", "p_train", "missing", "method")},
        "mask_fingerprint": facts.get("mask_fingerprint", ""),
        "seed": int(seed),
        "reports": ",".join(facts["reports"]),
        "axes": json.dumps(axes, sort_keys=True),
        "titles": json.dumps(facts.get("titles", {}), sort_keys=True),
        "provenance": json.dumps(facts.get("provenance", {}), sort_keys=True),
    }


def as_frame(rows: Iterable[Mapping[str, str | int]]) -> pd.DataFrame:
    """Return rows as a frame with the columns of `TRIALS_SCHEMA`, in its order."""
    frame: pd.DataFrame = pa.Table.from_pylist([dict(row) for row in rows], schema=TRIALS_SCHEMA).to_pandas()
    return frame
