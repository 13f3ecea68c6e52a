"""A store as one long table of scores, for pandas users who make tables and figures of their own."""

import pandas as pd

from results.data import StoreData, load
from results.files import absolute_root
from results.schema import Samples
from results.scores import SCORES_SCHEMA
from results.store import Store
from search_spaces.modality import Pattern, pattern_label
from search_spaces.spec import TrialSpec

__all__ = ["COLUMNS", "frame", "long_form"]

_OF_TRIALS = ("trial_id", "config", "fingerprint", "mask_fingerprint", "reports")
COLUMNS = (*_OF_TRIALS, "split", "route", "pattern", "label", "reported", "metric")
"""Columns beside the spec's axes and `value`."""


def frame(*stores: Store | str) -> pd.DataFrame:
    """Return all scores in long form: one row per trial, split (val, test), route, pattern and metric.

    Columns: the spec's axes (`p_train` as text, parameters as `method.<name>` and `dataset.<name>`, encoders as
    `encoder.<modality>`), `COLUMNS` and `value`. `config` names the configuration and its versions without the seed;
    `mask_fingerprint` tells trials that trained on equal missing masks;
    `label` is the pattern as tables call it (`all`, `only_image`); `reports` lists the patterns a trial stands for in
    its method's profile, the main one first, and `reported` says whether a row is one of them. `attrs["corrupt"]` maps
    the trials that were left out to why.

    Args:
        stores: one or more, or their paths or URLs; a relative path is resolved here.
    """
    return long_form(load(*(Store(absolute_root(store)) if isinstance(store, str) else store for store in stores)))


def long_form(data: StoreData) -> pd.DataFrame:
    """Return the long table of data that is loaded already; see `frame`."""
    axes = pd.DataFrame([{"config": config, **found} for config, found in data.axes.items()], columns=_columns(data))
    about = data.trials[[*_OF_TRIALS, "seed"]].reset_index(drop=True)
    table = about.merge(axes, on="config").merge(data.scores(), on="trial_id")
    every = table[["fingerprint", "pattern", "reports"]].drop_duplicates()
    labels = [
        _label(data.samples[fingerprint], key)
        for fingerprint, key in zip(every["fingerprint"], every["pattern"], strict=True)
    ]
    reported = [key in reports.split(",") for key, reports in zip(every["pattern"], every["reports"], strict=True)]
    table = table.merge(every.assign(label=labels, reported=reported), on=list(every.columns))
    order = [name for name in axes.columns if name not in COLUMNS]
    table = table.sort_values(["trial_id", *SCORES_SCHEMA.names[:-1]], ignore_index=True)
    table = table[[*order[:1], "seed", *order[1:], *COLUMNS, "value"]] if order else table
    table.attrs["corrupt"] = dict(data.corrupt)
    return table


def _columns(data: StoreData) -> list[str]:
    """Every axis of any configuration, the spec's own first."""
    named = dict.fromkeys(name for found in data.axes.values() for name in found)
    own = [name for name in TrialSpec.axis_names() if name in named or not named]
    return ["config", *(name for name in own if name != "seed"), *sorted(set(named) - set(own))]


def _label(samples: Samples, key: str) -> str:
    return pattern_label(Pattern.from_key(key), samples.modalities)
