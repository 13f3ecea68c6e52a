from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from search_spaces import TrialSpec
from search_spaces.errors import InvalidValueError
from trainables.dataset_identity import open_dataset
from trainables.datasets._pid_synth_drawing import draw
from trainables.datasets._pid_synth_params import PidSynthParams, ceilings, information_bits
from trainables.datasets.pid_synth import PidSynth
from trainables.datasets.pid_synth_three import PidSynthThree, PidSynthThreeParams

LEGIBLE = {"amplitude_a": 4.0, "amplitude_b": 4.0, "train": 20_000}
TOLERANCE = 0.015  # three standard errors of an accuracy on the 10 000 test samples
PRESETS: dict[str, dict[str, Any]] = {
    "redundant": {"shared": 8, "a": 1, "b": 1, "reliability_shared": 0.9},
    "complementary": {},
    "a_dominant": {"shared": 5, "b": 1, "reliability_shared": 0.85},
    "synergy": {"shared": 4, "a": 1, "b": 1, "joint": 2},
}


def linear_accuracy(params: PidSynthParams, *modalities: str) -> float:
    """Accuracy of logistic regression on the raw inputs."""
    data = draw(params)
    splits = np.array(data.splits)
    inputs = np.concatenate([data.inputs[name] for name in modalities], axis=1)
    fitted = LogisticRegression(C=0.01, tol=1e-2, max_iter=200).fit(
        inputs[splits == "train"], data.targets[splits == "train"]
    )
    return float(fitted.score(inputs[splits == "test"], data.targets[splits == "test"]))


@pytest.mark.parametrize("preset", ["redundant", "complementary", "a_dominant"])
def test_a_linear_map_of_legible_cues_reaches_the_ceilings(preset: str) -> None:
    params = PidSynthParams(**{**LEGIBLE, **PRESETS[preset]})
    best = ceilings(params)
    for pattern in ("a", "b", "a-b"):
        assert abs(linear_accuracy(params, *pattern.split("-")) - best[pattern]) < TOLERANCE


def test_three_modalities() -> None:
    params = PidSynthThreeParams(c=2, amplitude_c=4.0, **LEGIBLE)
    assert PidSynthThree(params).info().num_classes == 16
    best = ceilings(params)
    for pattern in ("a", "b", "c", "a-b-c"):
        assert abs(linear_accuracy(params, *pattern.split("-")) - best[pattern]) < TOLERANCE


def test_numbers_add_up_to_the_joint_part_and_say_nothing_alone() -> None:
    params = PidSynthParams(shared=1, a=1, b=1, joint=4, reliability_joint=1.0, **LEGIBLE)
    assert ceilings(params) == {"a": 0.25, "b": 0.25, "a-b": 1.0}
    assert linear_accuracy(params, "a") < 0.25 + TOLERANCE


def test_synergy_is_beyond_a_linear_map_and_in_neither_modality() -> None:
    params = PidSynthParams(**{**LEGIBLE, **PRESETS["synergy"]})
    best = ceilings(params)
    assert best["a-b"] > 0.9
    assert linear_accuracy(params, "a", "b") < best["a"] + TOLERANCE


def test_what_is_hidden_is_beyond_a_linear_map() -> None:
    params = PidSynthParams(**{**LEGIBLE, **PRESETS["redundant"], "hidden": "b"})
    assert linear_accuracy(params, "b") < 2 / 8
    assert linear_accuracy(params, "a") > 0.85


def test_bits() -> None:
    bits = information_bits(PidSynthParams(**PRESETS["redundant"]))
    np.testing.assert_allclose([bits[part] for part in ("shared", "a", "b", "joint")], [2.25, 0, 0, 0], atol=0.005)
    assert information_bits(PidSynthParams(reliability_a=0.5))["a"] == 0


def test_multi_label_targets_are_one_per_value() -> None:
    dataset = PidSynth(PidSynthParams(shared=3, labels="multi"))
    targets, names = dataset.load().targets, dataset.info().class_names
    assert names == ["shared0", "shared1", "shared2", "a0", "a1", "b0", "b1"]
    assert targets.shape == (3500, 7)
    assert (targets.sum(axis=1) == 3).all()


@pytest.mark.parametrize(
    "params", [{"reliability_shared": 0.2}, {"shared": 1, "a": 1, "b": 1}], ids=["below_chance", "one_class"]
)
def test_parameters_that_make_no_sense(params: dict[str, Any]) -> None:
    spec = TrialSpec(dataset="pid_synth", method="naive", dataset_params=params)
    with pytest.raises(InvalidValueError):
        open_dataset(spec)
