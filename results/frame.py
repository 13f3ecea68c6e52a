"""A whole store as one long table of scores, read once and shared by every table and figure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import pandas as pd

from results.metrics import METRICS
from results.schema import ROUTES, Samples, TrialRecord
from results.store import Failure, Store
from results.testbed import Profile
from search_spaces.errors import MmptError
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import pattern_label
from search_spaces.spec import TrialSpec, canonical_json

__all__ = ["COLUMNS", "StoreData", "configuration", "frame", "load", "rates_text"]

COLUMNS = ("trial_id", "config", "fingerprint", "reports", "split", "route", "pattern", "label", "reported", "metric")
"""Columns beside the spec's axes and `value`."""


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


@dataclass(frozen=True, eq=False)
class StoreData:
    """A store's content as tables and figures need it.

    Attributes:
        root: of the store.
        frame: one row per trial, split, route, pattern and metric; see `frame`.
        headers: trial id -> record without its logits.
        samples: fingerprint -> the data set's samples.
        failures: trials that failed and have not succeeded since.
        corrupt: trial id -> why it cannot be read.
    """

    root: str
    frame: pd.DataFrame
    headers: Mapping[str, TrialRecord]
    samples: Mapping[str, Samples]
    failures: Mapping[str, Failure]
    corrupt: Mapping[str, str]
    _store: Store = field(repr=False)

    def profile(self, trial_id: str, *, split: str = "test", route: str = "probe") -> Profile:
        """Return a trial's predictions, read from the store when asked for."""
        record = self._store.read_trial(trial_id)
        return Profile.of(record, self.samples[record.facts["fingerprint"]], split=split, route=route)

    def test_scores(self, metric: str, route: str) -> Mapping[tuple[str, str], float]:
        """Return (trial id, pattern key) -> test score."""
        rows = self.frame
        chosen = rows[rows["split"].eq("test") & rows["metric"].eq(metric) & rows["route"].eq(route)]
        keys = zip(chosen["trial_id"], chosen["pattern"], strict=True)
        return dict(zip(keys, chosen["value"], strict=True))


def load(store: Store) -> StoreData:
    """Read a store once, trial by trial, keeping scores but not logits.

    Trials that cannot be read, damaged or of a newer version, are left out and listed in `corrupt`.
    """
    corrupt: dict[str, str] = {}
    headers: dict[str, TrialRecord] = {}
    rows: list[dict[str, Any]] = []
    samples_of = lru_cache(maxsize=None)(store.read_samples)
    samples: dict[str, Samples] = {}
    for trial_id in store.trial_ids():
        try:
            record = store.read_trial(trial_id)
            own = samples_of(record.facts["fingerprint"])
            scored = list(_rows(record, own))
        except MmptError as error:
            corrupt[trial_id] = str(error)
            continue
        samples[own.fingerprint] = own
        headers[trial_id] = replace(record, logits={}, sample_ids={})
        rows.extend(scored)
    return StoreData(store.root, _as_frame(rows), headers, samples, store.failures(), corrupt, store)


def frame(store: Store) -> pd.DataFrame:
    """Return all scores in long form: one row per trial, split (val, test), route, pattern and metric.

    Columns: the spec's axes (`p_train` as text, parameters as `method.<name>` and `dataset.<name>`, encoders as
    `encoder.<modality>`), `COLUMNS` and `value`. `config` names the configuration and its versions without the seed;
    `reports` lists the patterns a trial stands for in its method's profile, the main one first, and `reported` says
    whether a row is one of them. `attrs["corrupt"]` maps the trials that were left out to why.
    """
    data = load(store)
    table = data.frame
    table.attrs["corrupt"] = dict(data.corrupt)
    return table


def _as_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*TrialSpec.axis_names(), *COLUMNS, "value"])


def _rows(record: TrialRecord, samples: Samples) -> Iterator[dict[str, Any]]:
    about = {
        "trial_id": record.trial_id,
        **_axes(record.spec, samples.modalities),
        "config": configuration(record.spec, record.facts.get("versions", {})),
        "fingerprint": record.facts["fingerprint"],
        "reports": ",".join(record.facts["reports"]),
    }
    for split in ("val", "test"):
        for route in ROUTES:
            profile = Profile.of(record, samples, split=split, route=route)
            for pattern in sorted(profile.parts, key=lambda pattern: (-len(pattern), pattern)):
                place = {
                    "split": split,
                    "route": route,
                    "pattern": pattern.key,
                    "label": pattern_label(pattern, samples.modalities),
                    "reported": pattern.key in record.facts["reports"],
                }
                for metric in METRICS:
                    yield {**about, **place, "metric": metric, "value": profile.score(pattern, metric)}


def _axes(spec: TrialSpec, modalities: Sequence[str]) -> dict[str, Any]:
    named = {"encoders": "encoder", "dataset_params": "dataset", "method_params": "method"}
    axes: dict[str, Any] = {}
    for name, value in spec.to_config().items():
        if name in named:
            axes |= {f"{named[name]}.{key}": item for key, item in value.items()}
        else:
            axes[name] = value
    return axes | {"p_train": rates_text(spec.p_train, modalities)}
