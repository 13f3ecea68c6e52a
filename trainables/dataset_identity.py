"""From a spec to its data set, and to the fingerprint that names the prepared data. No torch."""

from typing import Any

from search_spaces.catalog import snake_case
from search_spaces.spec import Params, TrialSpec, canonical_json, content_hash
from trainables.api_data import Dataset
from trainables.dataset_catalog import DATASETS
from trainables.params import expand_preset, read_params, spell_out

__all__ = ["build_dataset", "compute_fingerprint", "open_dataset", "trust_fingerprint"]

_KNOWN_FINGERPRINTS: dict[tuple[type[Dataset], str], str] = {}


def open_dataset(spec: TrialSpec) -> tuple[Dataset, str]:
    """Return a spec's data set and the fingerprint of its prepared data, which a process computes once.

    Raises:
        UnknownNameError, InvalidValueError: there is no such data set, or a parameter is not allowed.
        RawDataError, InvalidDataError: its raw files are not there or not what they should be.
    """
    dataset, what = _described(spec)
    if what not in _KNOWN_FINGERPRINTS:
        _KNOWN_FINGERPRINTS[what] = compute_fingerprint(dataset)
    return dataset, _KNOWN_FINGERPRINTS[what]


def trust_fingerprint(spec: TrialSpec, fingerprint: str) -> None:
    """Take over the fingerprint that the driver computed: a worker needs no raw files if it has the prepared data."""
    _KNOWN_FINGERPRINTS[_described(spec)[1]] = fingerprint


def compute_fingerprint(dataset: Dataset) -> str:
    """Return the fingerprint of the data as it is on this machine now."""
    cls = type(dataset)
    return content_hash({**_description(dataset), "version": cls.version, "content": dict(dataset.content())})


def build_dataset(key: str, params: Params) -> Dataset:
    """Return a data set with the given parameters.

    Raises:
        UnknownNameError, InvalidValueError: there is no such data set, or a parameter is not allowed.
    """
    cls = DATASETS.get(key)
    return cls(read_params(cls.Params, expand_preset(params, cls.presets, key), key, cls.modalities()))


def _described(spec: TrialSpec) -> tuple[Dataset, tuple[type[Dataset], str]]:
    dataset = build_dataset(spec.dataset, spec.dataset_params)
    return dataset, (type(dataset), canonical_json(_description(dataset)))


def _description(dataset: Dataset) -> dict[str, Any]:
    return {"dataset": snake_case(type(dataset).__name__), "params": spell_out(dataset.params)}
