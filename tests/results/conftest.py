"""Stores filled with made-up trials."""

from collections.abc import Callable
from typing import Any

import pytest
from made_up import fill, make_record, make_samples

from results.schema import Samples, TrialRecord
from results.store import Failure, Store
from search_spaces.spec import TrialSpec


@pytest.fixture
def samples() -> Samples:
    return make_samples()


@pytest.fixture
def build_samples() -> Callable[..., Samples]:
    return make_samples


@pytest.fixture
def build_record() -> Callable[..., TrialRecord]:
    return make_record


@pytest.fixture
def store(tmp_path: Any) -> Store:
    store = Store(str(tmp_path / "store"))
    store.prepare()
    return store


@pytest.fixture(params=[2, 3], ids=["two modalities", "three modalities"])
def filled(request: pytest.FixtureRequest, store: Store) -> Store:
    modalities = ("audio", "image", "text")[: request.param]
    fill(store, make_samples(modalities, multi_label=request.param > 2))
    spec = TrialSpec(dataset="toy", method="umt").to_config()
    store.write_failure(Failure(trial_id="f" * 16, error="OutOfMemoryError: <no> room", traceback="...", spec=spec))
    return store
