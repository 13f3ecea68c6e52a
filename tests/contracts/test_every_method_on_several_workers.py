"""Every method, by existing: two and three workers give the numbers of one, up to the rounding of float32."""

from pathlib import Path
from typing import Any

import pytest
import toys
from several_workers import Followers, assert_close, planned
from tasks import task_of

from search_spaces.spec import TrialSpec
from trainables.catalogs import DATASETS, FUSIONS, METHODS
from trainables.trial import Trial

BUILT_IN = [name for name in METHODS.names() if METHODS.get(name) not in toys.METHODS]
QUICK = {"vae_imputation": {"epochs": 10}}


def first_choice(method: str, dataset: str, fusion: str) -> TrialSpec:
    cls = METHODS.get(method).Hyperparameters
    named = [name for name, item in cls.__dataclass_fields__.items() if "modality" in item.metadata]
    params: dict[str, Any] = dict.fromkeys(named, DATASETS.get(dataset).modalities()[0])
    params |= QUICK.get(method, {})
    return toys.spec(method, dataset, fusion=fusion, method_params=params, p_train=0.4, learning_rate=3e-3)


@pytest.mark.parametrize(
    ("dataset", "number"), [("toy_pair", 2), pytest.param("toy_triple", 3, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", BUILT_IN)
def test_several_workers_give_the_numbers_of_one(
    method: str, fusion: str, dataset: str, number: int, *, tmp_path: Path, cache: Path, followers: Followers
) -> None:
    """Batches are uneven, and some show a worker no sample of a modality."""
    store, trial = planned(first_choice(method, dataset, fusion), tmp_path, cache)
    task = task_of(trial, store, cache)
    list(Trial(task).epochs())
    alone = store.read_trial(task.trial_id)
    store.remove_folder(task.trial_id)
    list(followers.epochs(task, number))
    assert followers.answers() == [None] * (number - 1)
    together = store.read_trial(task.trial_id)
    assert (alone.fact("workers"), together.fact("workers")) == (1, number)
    assert_close(alone, together)
