"""One trial: same numbers however it is run, resumed or placed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys

from results.long_form import frame
from results.metrics import score
from results.missing_masks import mask_fingerprint
from results.schema import LogitsKey, TrialRecord
from results.store import Store
from search_spaces import MissingRates, MmptError, TrialSpec
from trainables.build import load_splits, open_prepared
from trainables.devices import set_up_compute
from trainables.loop import TrialDivergedError
from trainables.missing import training_mask
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.trial import Trial


def task(spec: TrialSpec, store: Store, cache: Path, **changes: Any) -> TrialTask:
    resolved = resolve(spec)
    return TrialTask(
        trial_id=resolved.trial_id, spec=resolved.spec.to_config(), store=store.root, cache=str(cache), **changes
    )


def finish(spec: TrialSpec, store: Store, cache: Path, **changes: Any) -> TrialRecord:
    made = task(spec, store, cache, **changes)
    for _ in Trial(made).epochs():
        pass
    return store.read_trial(made.trial_id)


def assert_same_numbers(one: TrialRecord, other: TrialRecord) -> None:
    assert one.trial_id == other.trial_id
    assert set(one.logits) == set(other.logits)
    for key, logits in one.logits.items():
        np.testing.assert_array_equal(logits, other.logits[key])
    curves = [record.history[~record.history["name"].str.startswith("seconds/")] for record in (one, other)]
    assert curves[0].reset_index(drop=True).equals(curves[1].reset_index(drop=True))


def other_store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "other"))
    store.prepare()
    return store


def test_a_trial_repeats_exactly_whatever_ran_before_in_the_process(store: Store, cache: Path, tmp_path: Path) -> None:
    spec = toys.spec("mtl", p_train={"left": 0.3})
    fresh = finish(spec, store, cache)
    torch.manual_seed(123)
    torch.rand(1000)
    finish(toys.spec("naive", seed=5), other_store(tmp_path), cache)
    assert_same_numbers(fresh, finish(spec, other_store(tmp_path), cache))


@pytest.mark.parametrize("method", ["naive", "dropout"])
def test_a_killed_trial_goes_on_with_the_numbers_of_an_unbroken_one(
    method: str, store: Store, cache: Path, tmp_path: Path
) -> None:
    params = {"dropout": {"modality": "left"}}.get(method, {})
    spec = toys.spec(method, epochs=6, method_params=params, schedule="linear", warmup=0.2)
    unbroken = finish(spec, store, cache)
    broken_store = other_store(tmp_path)
    made = task(spec, broken_store, cache, checkpoint_seconds=0)
    epochs = Trial(made).epochs()
    for _ in range(3):
        next(epochs)
    epochs.close()
    assert broken_store.read_checkpoint(made.trial_id) is not None
    replayed = next(Trial(made).epochs())
    assert {row.epoch for row in replayed} == {1, 2, 3}
    assert_same_numbers(unbroken, finish(spec, broken_store, cache, checkpoint_seconds=0))
    assert broken_store.read_checkpoint(made.trial_id) is None


def test_patience_ends_training_early(store: Store, cache: Path) -> None:
    record = finish(toys.spec(epochs=40, patience=2, learning_rate=0.01), store, cache)
    last = int(record.history["epoch"].max())
    assert last < 40
    assert last - int(record.fact("best_epoch") or 0) == 2


def test_both_modalities_together_solve_the_toy_and_each_alone_knows_its_bit(store: Store, cache: Path) -> None:
    record = finish(toys.spec(epochs=15, learning_rate=5e-3), store, cache)
    samples = store.read_samples(record.facts["fingerprint"])
    targets = samples.split("test")[1]
    together = score(record.logits[LogitsKey("probe", "left-right", "test")], targets, "accuracy")
    alone = score(record.logits[LogitsKey("probe", "left", "test")], targets, "accuracy")
    assert together > 0.95
    assert 0.3 < alone < 0.7
    assert [len(record.sample_ids[split]) for split in ("val", "test")] == [60, 60]


def test_each_loss_term_averages_over_its_own_samples(store: Store, cache: Path) -> None:
    record = finish(toys.spec("mtl", p_train={"left": 0.5}), store, cache)
    rows = record.history[record.history["epoch"] == 1].set_index("name")["samples"]
    assert rows["train/right"] == 160
    assert 50 < rows["train/left"] < 110
    assert rows["train/joint"] == rows["train/left"]


def test_a_modality_that_is_always_missing_leaves_no_joint_term_but_no_nan(store: Store, cache: Path) -> None:
    record = finish(toys.spec("mtl", p_train={"left": 1.0}), store, cache)
    names = set(record.history["name"])
    assert "train/right" in names
    assert not {"train/left", "train/joint"} & names
    assert np.isfinite(record.history["value"]).all()
    assert {key.pattern for key in record.logits if key.route == "probe"} == {"right"}


def test_the_epoch_is_chosen_by_a_pattern_that_training_samples_have(store: Store, cache: Path) -> None:
    """No training sample is complete, so that the score of the full pattern would be an untrained head's."""
    record = finish(toys.spec("mtl", p_train={"left": 1.0}, epochs=3, learning_rate=0.01), store, cache)
    best = record.history[record.history["name"] == "val/macro_f1"]["value"].max()
    key = LogitsKey("head", "right", "val")
    targets = store.read_samples(record.facts["fingerprint"]).split("val")[1]
    assert score(record.logits[key], targets) == pytest.approx(best)


def test_a_method_without_any_usable_sample_fails_with_a_reason(store: Store, cache: Path) -> None:
    with pytest.raises(TrialDivergedError, match="no training sample is left for naive at p_train left:1"):
        finish(toys.spec("naive", p_train={"left": 1.0}), store, cache)


def test_a_unimodal_trial_ignores_the_rates_of_other_modalities() -> None:
    params = {"modality": "right"}
    one = resolve(toys.spec("unimodal", method_params=params))
    other = resolve(toys.spec("unimodal", method_params=params, p_train=MissingRates({"left": 0.7})))
    assert one.trial_id == other.trial_id


def test_a_trial_stores_the_fingerprint_of_the_mask_it_trained_on(store: Store, cache: Path) -> None:
    spec = toys.spec("mtl", p_train=0.25, missing="map_u2a")
    record, complete = finish(spec, store, cache), finish(toys.spec("mtl"), store, cache)
    train = load_splits(open_prepared(resolve(spec), str(cache)), resolve(spec), set_up_compute(1, 0))["train"]
    ids, modalities = train.sample_ids, list(train.modalities)
    present = {name: np.ones(len(ids), dtype=bool) for name in modalities}
    mask = training_mask(ids, present, resolve(spec).spec.p_train, spec.seed, "map_u2a")
    assert (~mask).sum() == len(ids) // 2
    assert record.facts["mask_fingerprint"] == mask_fingerprint(ids, modalities, mask)
    assert complete.facts["mask_fingerprint"] == mask_fingerprint(ids, modalities, np.ones_like(mask))
    assert frame(store).set_index("trial_id").loc[record.trial_id, "mask_fingerprint"].unique().tolist() == [
        record.facts["mask_fingerprint"]
    ]


@pytest.mark.parametrize(("method", "error"), [("raising", "ValueError: the method raised"), ("diverging", "nan")])
def test_a_failure_is_kept_with_its_traceback(method: str, error: str, store: Store, cache: Path) -> None:
    made = task(toys.spec(method), store, cache)
    with pytest.raises((ValueError, TrialDivergedError)):
        list(Trial(made).epochs())
    failure = store.failures()[made.trial_id]
    assert error in failure.error
    assert "Traceback" in failure.traceback
    assert failure.spec["method"] == method
    assert made.trial_id not in store.done_ids()


def test_a_worker_with_other_code_refuses_the_trial(store: Store, cache: Path) -> None:
    made = task(toys.spec(), store, cache)
    other = TrialTask.from_config({**made.to_config(), "trial_id": "0" * 16})
    with pytest.raises(MmptError, match="its code or data differ"):
        list(Trial(other).epochs())
    assert "its code or data differ" in store.failures()["0" * 16].error


def test_weights_reach_the_trials_that_require_them(store: Store, cache: Path) -> None:
    teacher = finish(toys.spec("naive"), store, cache, keep_model=True)
    student = finish(toys.spec("student", learning_rate=1e-9), store, cache, requires={"teacher": teacher.trial_id})
    key = LogitsKey("head", "left-right", "test")
    np.testing.assert_allclose(student.logits[key], teacher.logits[key], atol=1e-5)
    with pytest.raises(MmptError, match="are not in the store"):
        finish(toys.spec("student", seed=3), store, cache, requires={"teacher": "f" * 16})


def test_a_gpu_that_is_not_there_is_an_error_not_a_fallback() -> None:
    if torch.cuda.is_available():
        assert set_up_compute(1, 1).device.type == "cuda"
        return
    with pytest.raises(MmptError, match="CUDA sees none"):
        set_up_compute(1, 1)
