"""Every method, by existing: it trains, predicts and stores on two and three modalities, single- and multi-label."""

import shutil
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys

from orchestrator.sweep import Sweep
from results.metrics import score
from results.schema import LogitsKey, TrialRecord
from results.store import Store
from search_spaces import InvalidValueError, Pattern
from search_spaces.spec import TrialSpec
from trainables.build import build_method, load_splits, open_prepared
from trainables.catalogs import DATASETS, FUSIONS, METHODS
from trainables.devices import set_up_compute
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.trial import Trial

RATES = {"late": 0.01, "early": 0.003}
BUILT_IN = [name for name in METHODS.names() if METHODS.get(name) not in toys.METHODS]


def choices(method: str, modalities: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every value of the parameters that name a modality; defaults for all others."""
    cls = METHODS.get(method).Hyperparameters
    named = [name for name, item in cls.__dataclass_fields__.items() if "modality" in item.metadata]
    return [dict(zip(named, values, strict=True)) for values in product(modalities, repeat=len(named))]


@pytest.mark.parametrize("p_train", [0.0, 0.5])
@pytest.mark.parametrize("dataset", ["toy_pair", "toy_triple", "toy_pair_multi", "toy_triple_single"])
@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", BUILT_IN)
def test_it_trains_and_stores_what_it_reports(
    method: str, fusion: str, dataset: str, p_train: float, *, store: Store, cache: Path
) -> None:
    for params in choices(method, DATASETS.get(dataset).modalities()):
        spec = toys.spec(method, dataset, fusion=fusion, method_params=params, p_train=p_train, epochs=2)
        sweep = Sweep([spec], store=store.root, tracking="none", cache=cache)
        assert not sweep.run(inline=True).failed
        record = store.read_trial(resolve(spec).trial_id)
        trains = METHODS.get(method).trains
        assert record.history["name"].str.startswith("train/").any() == trains
        reported = {Pattern.from_key(key) for key in record.facts["reports"]}
        assert reported <= {Pattern.from_key(key.pattern) for key in record.logits if key.route == "probe"}
        assert all(np.isfinite(logits).all() for logits in record.logits.values())
        assert {key.split for key in record.logits} == {"val", "test"}


def first_choice(method: str, dataset: str, fusion: str, **changes: Any) -> TrialSpec:
    params = choices(method, DATASETS.get(dataset).modalities())[0]
    return toys.spec(method, dataset, fusion=fusion, method_params=params, **changes)


def train(spec: TrialSpec, root: Path, cache: Path) -> TrialRecord:
    """Run a trial, and what it requires, in a store of its own."""
    sweep = Sweep([spec], store=root, tracking="none", cache=cache)
    assert not sweep.run(inline=True).failed
    return sweep.store.read_trial(resolve(spec).trial_id)


@pytest.mark.parametrize("dataset", ["toy_pair", "toy_triple"])
@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", BUILT_IN)
def test_it_survives_a_modality_that_is_missing_in_training(
    method: str, fusion: str, dataset: str, *, tmp_path: Path, cache: Path
) -> None:
    for missing in DATASETS.get(dataset).modalities():
        record = train(first_choice(method, dataset, fusion, p_train={missing: 0.9}, epochs=1), tmp_path, cache)
        assert all(np.isfinite(logits).all() for logits in record.logits.values())
        singles = {key.pattern for key in record.logits if key.route == "probe" and "-" not in key.pattern}
        assert singles >= {key for key in record.facts["reports"] if "-" not in key}


@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", BUILT_IN)
def test_a_class_absent_from_train_stops_nothing(method: str, fusion: str, tmp_path: Path, cache: Path) -> None:
    spec = first_choice(method, "toy_absent_class", fusion, epochs=10, learning_rate=RATES[fusion])
    record = train(spec, tmp_path, cache)
    assert all(np.isfinite(logits).all() for logits in record.logits.values())
    _, targets = Store(str(tmp_path)).read_samples(record.facts["fingerprint"]).split("test")
    main = record.facts["reports"][0]
    known = targets != 3
    logits = record.logits[LogitsKey("probe", main, "test")][known]
    assert score(logits, targets[known], "accuracy") > (0.5 if "-" in main else 0.35)


@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", BUILT_IN)
def test_it_learns_and_does_the_same_again(method: str, fusion: str, tmp_path: Path, cache: Path) -> None:
    """Four classes: chance is 0.25, and 0.5 for a model of one modality is all that can be known."""
    spec = first_choice(method, "toy_pair", fusion, epochs=10, learning_rate=RATES[fusion])
    first, second = (train(spec, tmp_path / name, cache) for name in ("first", "second"))
    for key, logits in first.logits.items():
        np.testing.assert_array_equal(logits, second.logits[key])
    curve = first.history[first.history["name"].str.startswith("train/")]
    for name, rows in curve.groupby("name"):
        assert rows["value"].iloc[-1] < rows["value"].iloc[0], name
    targets = Sweep([spec], store=tmp_path / "first", tracking="none").store.read_samples(first.facts["fingerprint"])
    main = first.facts["reports"][0]
    reached = score(first.logits[LogitsKey("probe", main, "test")], targets.split("test")[1], "accuracy")
    assert reached > (0.75 if "-" in main else 0.35)


def rehearsed_epochs(record: TrialRecord) -> int:
    """Return how many epochs a trial trained before its training proper."""
    return int(record.history["name"].str.fullmatch("rehearsal/.+/loss").sum())


@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", [name for name in BUILT_IN if METHODS.get(name).trains])
def test_a_trial_that_is_killed_after_every_epoch_ends_in_the_same_numbers(
    method: str, fusion: str, tmp_path: Path, cache: Path
) -> None:
    spec = first_choice(method, "toy_pair", fusion, epochs=3)
    whole = train(spec, tmp_path / "whole", cache)
    broken = Store(str(tmp_path / "broken"))
    shutil.copytree(tmp_path / "whole", broken.root)
    broken.remove_folder(whole.trial_id)
    trial = next(one for one in Sweep([spec], store=broken.root, tracking="none", cache=cache).plan().todo)
    task = TrialTask(
        trial_id=trial.trial_id,
        spec=trial.spec.to_config(),
        store=broken.root,
        cache=str(cache),
        requires=dict(trial.requires),
        checkpoint_seconds=0.0,
    )
    num_epochs = rehearsed_epochs(whole) + spec.epochs
    for _ in range(num_epochs - 1):
        epochs = Trial(task).epochs()
        restored = broken.read_checkpoint(task.trial_id) is not None
        assert [next(epochs) for _ in range(1 + restored)]  # a restored trial tells its past first
        epochs.close()
    assert not broken.is_done(task.trial_id)
    assert len(list(Trial(task).epochs())) == 2
    record = broken.read_trial(task.trial_id)
    for key, logits in whole.logits.items():
        np.testing.assert_array_equal(logits, record.logits[key])


@pytest.mark.parametrize("method", BUILT_IN)
def test_a_method_that_joins_modalities_refuses_a_single_one_at_planning_time(method: str) -> None:
    spec = first_choice(method, "toy_solo", "late")
    if METHODS.get(method).fewest_modalities == 1:
        assert resolve(spec).reports
    else:
        with pytest.raises(InvalidValueError, match=f"at least 2 modalities for {method}; this one has left"):
            resolve(spec)


@pytest.mark.parametrize("method", BUILT_IN)
def test_its_card_and_docstring_say_what_it_is(method: str) -> None:
    cls = METHODS.get(method)
    assert cls.card.title
    assert cls.card.paper
    assert cls.card.idea
    assert "unknown" not in cls.card.cost, "the card says what it costs in both fusions"
    assert "l(" in (cls.__doc__ or ""), "the docstring has the loss"
    assert "Source:" in (cls.__doc__ or "")


@pytest.mark.parametrize("name", FUSIONS.names())
def test_a_fusion_tells_the_truth_about_patterns(name: str, cache: Path) -> None:
    """Features of a modality are the same under every pattern, or the fusion says that they are not."""
    resolved, compute = resolve(toys.spec("naive", "toy_triple", fusion=name)), set_up_compute(1, 0)
    val = load_splits(open_prepared(resolved, str(cache)), resolved, compute)["val"]
    fusion = build_method(resolved, compute).eval().fusion
    rows = np.arange(len(val))
    together = fusion.encode(val.batch(rows))
    alone = [fusion.encode(val.batch(rows, Pattern([modality]))) for modality in together]
    same = all(torch.equal(features[key], together[key]) for features in alone for key in features)
    assert same != FUSIONS.get(name).depends_on_pattern


def test_the_catalog_is_the_folder() -> None:
    folder = Path(__file__).parents[2] / "trainables" / "methods"
    assert set(BUILT_IN) == {path.stem for path in folder.glob("[!_]*.py")}
