"""The data sets that ship with the program give the scores they are documented with; minutes of training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from orchestrator.sweep import Sweep
from results.schema import LogitsKey
from results.store import Store
from search_spaces import TrialSpec
from trainables.datasets._pid_synth_params import ceilings
from trainables.resolve import open_dataset, resolve

pytestmark = pytest.mark.slow

STEADY = {"schedule": "constant", "warmup": 0.0, "clip_norm": 0.0, "patience": 0}
POINTS = 0.02  # within which an expert is at its ceiling; 2.5 standard errors on 4000 test samples


def _train(specs: Sequence[TrialSpec], store: Store, cache: Path) -> None:
    assert not Sweep(specs, store=store.root, tracking="none", cache=cache).run(inline=True).failed


def _expert(spec: TrialSpec, modality: str) -> TrialSpec:
    return spec.replace(method="unimodal", method_params={"modality": modality})


def _logits(spec: TrialSpec, store: Store, pattern: str, route: str = "head") -> np.ndarray:
    return store.read_trial(resolve(spec).trial_id).logits[LogitsKey(route, pattern, "test")]


def _accuracy(logits: np.ndarray, spec: TrialSpec, store: Store) -> float:
    targets = store.read_samples(resolve(spec).fingerprint).split("test")[1]
    return float((logits.argmax(axis=1) == targets).mean())


# -- pid_synth: the answer is known ----------------------------------------------------------------------------------


def _pid_synth(preset: str) -> TrialSpec:
    params = {"preset": preset, "train": 8000}
    return TrialSpec(dataset="pid_synth", method="naive", dataset_params=params, epochs=5, **STEADY)


def _ceilings(spec: TrialSpec) -> dict[str, float]:
    return ceilings(open_dataset(spec)[0].params)


@pytest.mark.parametrize("preset", ["redundant", "complementary", "a_dominant", "b_dominant"])
def test_experts_and_joint_training_reach_their_ceilings(preset: str, store: Store, cache: Path) -> None:
    naive = _pid_synth(preset)
    trials = {"a": _expert(naive, "a"), "b": _expert(naive, "b"), "a-b": naive}
    _train(list(trials.values()), store, cache)
    for pattern, best in _ceilings(naive).items():
        assert abs(_accuracy(_logits(trials[pattern], store, pattern), naive, store) - best) < POINTS


def test_mixed_experts_reach_their_ceilings(store: Store, cache: Path) -> None:
    """Of all parts mixed, the joint one is hard to learn together; alone, each modality shows what it can."""
    naive = _pid_synth("mixed")
    experts = {name: _expert(naive, name) for name in ("a", "b")}
    _train(list(experts.values()), store, cache)
    for name, spec in experts.items():
        assert abs(_accuracy(_logits(spec, store, name), naive, store) - _ceilings(naive)[name]) < POINTS


def test_synergy_takes_a_layer_in_which_modalities_meet(store: Store, cache: Path) -> None:
    late = _pid_synth("synergy")
    early = late.replace(fusion="early", learning_rate=2e-3, epochs=8)
    trials = {"a": _expert(late, "a"), "b": _expert(late, "b"), "late": late, "early": early}
    _train(list(trials.values()), store, cache)
    best = _ceilings(late)
    reached = {name: _accuracy(_logits(trials[name], store, name), late, store) for name in ("a", "b")}
    reached |= {name: _accuracy(_logits(trials[name], store, "a-b"), late, store) for name in ("late", "early")}
    for name, ceiling in {"a": best["a"], "b": best["b"], "late": best["a"], "early": best["a-b"]}.items():
        assert abs(reached[name] - ceiling) < POINTS, name
    assert best["a-b"] > best["a"] + 0.4


# -- av_digits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "components", "expected"),
    [
        (0.0, 2, {"audio": 0.939, "image": 0.553, "both": 0.957, "product": 0.966}),
        (0.5, 2, {"audio": 0.819, "image": 0.553, "both": 0.909, "product": 0.924}),
        (0.5, 3, {"audio": 0.819, "image": 0.685, "both": 0.907, "product": 0.921}),
    ],
)
def test_logistic_regression_on_av_digits(noise: float, components: int, expected: dict[str, float]) -> None:
    """Means of three pairings. The recipe: 0.936, 0.553, 0.975, 0.968 without noise; 0.837, 0.553, 0.926, 0.919."""
    found: dict[str, list[float]] = {name: [] for name in expected}
    for seed in range(3):
        params = {"noise": noise, "components": components, "pairing_seed": seed}
        raw = open_dataset(TrialSpec(dataset="av_digits", method="naive", dataset_params=params))[0].load()
        train, test = (np.array(raw.splits) == split for split in ("train", "test"))
        flat = {name: values.reshape(len(values), -1) for name, values in raw.inputs.items()}
        flat["both"] = np.concatenate(list(flat.values()), axis=1)
        fitted = {name: LogisticRegression(max_iter=300).fit(x[train], raw.targets[train]) for name, x in flat.items()}
        scores = {name: model.predict_log_proba(flat[name][test]) for name, model in fitted.items()}
        scores["product"] = scores["audio"] + scores["image"]
        for name, values in scores.items():
            found[name].append(float((values.argmax(axis=1) == raw.targets[test]).mean()))
    assert {name: float(np.mean(values)) for name, values in found.items()} == pytest.approx(expected, abs=0.005)


def test_competition_joint_training_is_worse_than_averaging_experts(store: Store, cache: Path) -> None:
    params = {"preset": "competition"}
    naive = [
        TrialSpec(dataset="av_digits", method="naive", dataset_params=params, seed=seed, **STEADY) for seed in range(3)
    ]
    experts = {name: [_expert(spec, name) for spec in naive] for name in ("audio", "image")}
    _train([*naive, *experts["audio"], *experts["image"]], store, cache)
    joint = [_accuracy(_logits(spec, store, "audio-image"), spec, store) for spec in naive]
    averaged = [
        _accuracy(sum(softmax(_logits(experts[name][seed], store, name), axis=1) for name in experts), spec, store)
        for seed, spec in enumerate(naive)
    ]
    assert np.mean(joint) < np.mean(averaged) - 0.005
    heard = [
        [_accuracy(_logits(spec, store, "audio", "probe"), spec, store) for spec in specs]
        for specs in (naive, experts["audio"])
    ]
    assert np.mean(heard[0]) < np.mean(heard[1]) - 0.05


# -- glyph_names -----------------------------------------------------------------------------------------------------


def test_glyph_names_experts_and_the_joint_model_below_the_better_one(store: Store, cache: Path) -> None:
    naive = [
        TrialSpec(dataset="glyph_names", method="naive", learning_rate=2e-3, epochs=25, seed=seed, **STEADY)
        for seed in range(3)
    ]
    experts = {name: [_expert(spec, name) for spec in naive] for name in ("image", "text")}
    _train([*naive, *experts["image"], *experts["text"]], store, cache)
    found = {
        name: np.mean([_accuracy(_logits(spec, store, name), spec, store) for spec in specs])
        for name, specs in {**experts, "image-text": naive}.items()
    }
    assert found == pytest.approx({"image": 0.579, "text": 0.755, "image-text": 0.721}, abs=0.03)
    assert found["image-text"] < found["text"]
