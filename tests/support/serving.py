"""Finished trials whose weights were kept, as models that predict."""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from results.schema import TrialRecord
from results.store import Store
from search_spaces import TrialSpec
from trainables.build import open_prepared
from trainables.resolve import resolve
from trainables.served_model import ServedModel, write_served

Inputs = dict[str, npt.NDArray[Any]]


def finished(spec: TrialSpec, store: Store, cache: Path) -> tuple[TrialRecord, Inputs]:
    """Return a finished trial with the inputs of its test samples."""
    resolved = resolve(spec)
    prepared = open_prepared(resolved, str(cache))
    inputs = {name: values[prepared.rows("test")] for name, values in prepared.inputs.items()}
    return store.read_trial(resolved.trial_id), inputs


def served(store: Store, record: TrialRecord, folder: Path, route: str = "probe") -> ServedModel:
    """Write a kept trial into a new folder and read it from there."""
    weights = store.read_model(record.trial_id)
    assert weights is not None
    folder.mkdir()
    write_served(folder, record, resolve(record.spec).info, weights, route)
    return ServedModel(folder)
