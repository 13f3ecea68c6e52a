"""Fixtures for every test: one torch thread, an own cache of prepared data, the toys in the catalogs."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "5"

import pytest
import torch
import toys
from hypothesis import settings
from several_workers import Followers

from results.store import Store
from trainables.catalogs import DATASETS, ENCODERS, METHODS

torch.set_num_threads(1)
settings.register_profile("house", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _toys() -> None:
    for dataset in toys.DATASETS:
        DATASETS.add(dataset)
    ENCODERS.add(toys.NormalisingToy)
    for method in toys.METHODS:
        METHODS.add(method)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of prepared data for all tests of a process, never the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["MMPT_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def followers() -> Iterator[Followers]:
    """Two processes for trials of several workers."""
    with Followers(2) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    made = Store(str(tmp_path / "store"))
    made.prepare()
    return made
