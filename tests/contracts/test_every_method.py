"""Every method, by existing: it trains, predicts and stores on two and three modalities, single- and multi-label."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys
from scipy.stats import binom
from serving import finished, served

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


QUICK = {"vae_imputation": {"epochs": 10}}
"""Parameters that only make a method quicker."""
FLUKE = 1e-4
"""Probability with which guessing passes one check of some 400, which makes 0.04 for any of them."""
DATASETS_BY_SIZE_AND_TASK = ("toy_pair", "toy_pair_multi", "toy_triple_single", "toy_triple")


@dataclass(frozen=True)
class Swept:
    """All methods, trained in one fusion on one data set with one share of samples lost."""

    sweep: Sweep
    trials: Mapping[str, list[TrialSpec]]

    def records(self, method: str) -> list[TrialRecord]:
        return [self.sweep.store.read_trial(resolve(spec).trial_id) for spec in self.trials[method]]


def places() -> list[Any]:
    """Fusion x modalities x task x p_train; of each fusion one place with either value of everything is fast."""
    fast = {("toy_pair", 0.0), ("toy_triple", 0.5)}
    every = product(FUSIONS.names(), DATASETS_BY_SIZE_AND_TASK, (0.0, 0.5))
    return [
        pytest.param(place, marks=() if place[1:] in fast else pytest.mark.slow, id="-".join(map(str, place)))
        for place in every
    ]


@pytest.fixture(scope="module", params=places())
def swept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Swept:
    fusion, dataset, p_train = request.param
    trials = {
        method: [
            toys.spec(
                method,
                dataset,
                fusion=fusion,
                method_params={**params, **QUICK.get(method, {})},
                p_train=p_train,
                epochs=4,
                dataset_params={"noise": 0.25},
                learning_rate=RATES[fusion],
            )
            for params in choices(method, DATASETS.get(dataset).modalities())
        ]
        for method in BUILT_IN
    }
    specs = [spec for own in trials.values() for spec in own]
    sweep = Sweep(specs, store=tmp_path_factory.mktemp("swept"), tracking="none", cache=cache, keep_models=True)
    assert not sweep.run(inline=True).failed
    return Swept(sweep, trials)


@pytest.mark.parametrize("method", BUILT_IN)
def test_it_stores_finite_predictions_of_every_pattern_that_it_reports(method: str, swept: Swept) -> None:
    for record in swept.records(method):
        reported = {Pattern.from_key(key) for key in record.facts["reports"]}
        assert reported <= {Pattern.from_key(key.pattern) for key in record.logits if key.route == "probe"}
        assert all(np.isfinite(logits).all() for logits in record.logits.values())
        assert {key.split for key in record.logits} == {"val", "test"}
        assert np.isfinite(record.history["value"]).all()


@pytest.mark.parametrize("method", BUILT_IN)
def test_its_kept_model_predicts_what_was_stored(method: str, swept: Swept, cache: Path, tmp_path: Path) -> None:
    for number, spec in enumerate(swept.trials[method]):
        record, inputs = finished(spec, swept.sweep.store, cache)
        for route in {key.route for key in record.logits}:
            model = served(swept.sweep.store, record, tmp_path / f"{number}-{route}", route)
            for key in (key for key in record.logits if (key.route, key.split) == (route, "test")):
                own = {name: inputs[name] for name in Pattern.from_key(key.pattern)}
                np.testing.assert_allclose(model.logits(own), record.logits[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", BUILT_IN)
def test_every_loss_that_it_trains_falls(method: str, swept: Swept) -> None:
    for record in swept.records(method):
        curves = record.history[record.history["name"].str.startswith("train/")].groupby("name")["value"]
        assert len(curves) > 0 or not METHODS.get(method).trains
        for name, values in curves:
            weight = record.fact(name.replace("train/", "gblend/") + "/weight")
            assert values.iloc[-1] < values.iloc[0] or weight == 0.0, name


@pytest.mark.parametrize("method", BUILT_IN)
def test_it_beats_chance_with_everything_and_with_each_modality_missing(method: str, swept: Swept) -> None:
    """Each modality tells one bit, so that k of them are guessed rightly with probability 2^-k."""
    for record in swept.records(method):
        _, targets = swept.sweep.store.read_samples(record.facts["fingerprint"]).split("test")
        modalities = record.facts["modalities"]
        reported = [Pattern.from_key(key) for key in record.facts["reports"]]
        without_one = {pattern for pattern in reported if len(pattern) == len(modalities) - 1}
        assert without_one or method == "unimodal"
        for pattern in {reported[0], *without_one}:
            told = [modalities.index(name) for name in pattern]
            logits = record.logits[LogitsKey("probe", pattern.key, "test")]
            known = bits(predicted(logits, targets), len(modalities)) == bits(targets, len(modalities))
            right = int(known[:, told].all(axis=1).sum())
            assert binom.sf(right - 1, len(targets), 0.5 ** len(told)) < FLUKE, (pattern, right)


def predicted(logits: Any, targets: Any) -> Any:
    return logits > 0 if targets.ndim > 1 else logits.argmax(axis=1)


def bits(labels: Any, count: int) -> Any:
    """Return what each modality tells, (N, M), of class numbers or of labels themselves."""
    return labels if labels.ndim > 1 else labels[:, None] >> np.arange(count)[::-1] & 1


@pytest.mark.parametrize("method", BUILT_IN)
def test_another_training_that_is_killed_on_its_way_ends_in_the_same_numbers(
    method: str, swept: Swept, cache: Path
) -> None:
    """The same seed, whatever ran in this process before, and a state that goes through a checkpoint."""
    whole, store = swept.records(method)[0], swept.sweep.store
    trial = next(one for one in swept.sweep.plan().trials if one.trial_id == whole.trial_id)
    store.remove_folder(whole.trial_id)
    task = TrialTask(
        trial_id=trial.trial_id,
        spec=trial.spec.to_config(),
        store=store.root,
        cache=str(cache),
        requires=dict(trial.requires),
        checkpoint_seconds=0.0,
    )
    torch.manual_seed(12345)
    if METHODS.get(method).trains:
        killed = Trial(task).epochs()
        for _ in range((rehearsed_epochs(whole) + trial.spec.epochs) // 2):
            next(killed)
        killed.close()
        assert store.read_checkpoint(task.trial_id) is not None
        assert not store.is_done(task.trial_id)
    assert bool(list(Trial(task).epochs())) == METHODS.get(method).trains
    again = store.read_trial(task.trial_id)
    assert again.logits.keys() == whole.logits.keys()
    for key, logits in whole.logits.items():
        np.testing.assert_array_equal(logits, again.logits[key])


def rehearsed_epochs(record: TrialRecord) -> int:
    """Return how many epochs a trial trained before its training proper."""
    return int(record.history["name"].str.fullmatch("rehearsal/.+/loss").sum())


@pytest.mark.parametrize("fusion", FUSIONS.names())
@pytest.mark.parametrize("method", BUILT_IN)
def test_another_seed_gives_other_numbers(method: str, fusion: str, tmp_path: Path, cache: Path) -> None:
    one, other = (
        train(first_choice(method, "toy_pair", fusion, seed=seed, epochs=1), tmp_path, cache) for seed in (0, 1)
    )
    assert all(not np.array_equal(logits, other.logits[key]) for key, logits in one.logits.items())


def first_choice(method: str, dataset: str, fusion: str, **changes: Any) -> TrialSpec:
    params = {**choices(method, DATASETS.get(dataset).modalities())[0], **QUICK.get(method, {})}
    return toys.spec(method, dataset, fusion=fusion, method_params=params, **changes)


def train(spec: TrialSpec, root: Path, cache: Path) -> TrialRecord:
    """Run a trial, and what it requires, in a store of its own."""
    sweep = Sweep([spec], store=root, tracking="none", cache=cache)
    assert not sweep.run(inline=True).failed
    return sweep.store.read_trial(resolve(spec).trial_id)


@pytest.mark.parametrize("dataset", ["toy_pair", pytest.param("toy_triple", marks=pytest.mark.slow)])
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
    spec = first_choice(method, "toy_absent_class", fusion, epochs=6, learning_rate=RATES[fusion])
    record = train(spec, tmp_path, cache)
    assert all(np.isfinite(logits).all() for logits in record.logits.values())
    _, targets = Store(str(tmp_path)).read_samples(record.facts["fingerprint"]).split("test")
    main = record.facts["reports"][0]
    known = targets != 3
    logits = record.logits[LogitsKey("probe", main, "test")][known]
    assert score(logits, targets[known], "accuracy") > (0.5 if "-" in main else 0.35)


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
