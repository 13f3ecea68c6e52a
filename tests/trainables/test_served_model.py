"""A trial that was kept predicts what it predicted when it was evaluated, whatever is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toys
from serving import Inputs, finished, served

from orchestrator.sweep import Sweep
from results.schema import ROUTES, TrialRecord
from results.store import Store
from search_spaces import MmptError, TrialSpec
from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.modality import Pattern
from trainables.checkpoint import pack, unpack
from trainables.resolve import resolve
from trainables.served_model import CARD, ServedModel
from trainables.task import TrialTask
from trainables.trial import Trial


def trained(spec: TrialSpec, store: Store, cache: Path) -> tuple[TrialRecord, Inputs]:
    """Train and keep a trial; return it with the inputs of its test samples."""
    resolved = resolve(spec)
    task = TrialTask(
        trial_id=resolved.trial_id,
        spec=resolved.spec.to_config(),
        store=store.root,
        cache=str(cache),
        keep_model=True,
    )
    list(Trial(task).epochs())
    return finished(spec, store, cache)


@pytest.mark.parametrize(
    "spec",
    [
        toys.spec("naive", p_train={"left": 0.3}),
        toys.spec("mtl", encoders={"left": "normalising_toy"}),
        toys.spec("naive", dataset="toy_triple"),
        toys.spec("naive", fusion="early"),
        toys.spec("unimodal", method_params={"modality": "right"}),
    ],
    ids=["late", "own heads and batch norm", "three modalities, many labels", "early", "one modality"],
)
@pytest.mark.parametrize("route", ROUTES)
def test_every_pattern_is_predicted_as_it_was(
    spec: TrialSpec, route: str, store: Store, cache: Path, tmp_path: Path
) -> None:
    record, inputs = trained(spec, store, cache)
    model = served(store, record, tmp_path / "model", route)
    keys = [key for key in record.logits if (key.route, key.split) == (route, "test")]
    assert keys
    for key in keys:
        own = {name: inputs[name] for name in Pattern.from_key(key.pattern)}
        np.testing.assert_allclose(model.logits(own), record.logits[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dataset", "fusion"), [("toy_pair", "late"), ("toy_triple", "early")])
def test_what_completes_features_is_part_of_the_model(
    dataset: str, fusion: str, store: Store, cache: Path, tmp_path: Path
) -> None:
    params = {"probe": "imputed", "epochs": 3, "latent": 4}
    spec = toys.spec("vae_imputation", dataset, fusion=fusion, epochs=1, method_params=params)
    sweep = Sweep([spec], store=store.root, tracking="none", cache=cache, keep_models=True)
    assert not sweep.run(inline=True).failed
    record, inputs = finished(spec, store, cache)
    model = served(store, record, tmp_path / "model")
    keys = [key for key in record.logits if key.split == "test"]
    assert {key.route for key in keys} == {"probe"}
    assert len(keys) == 2 ** len(inputs) - 1
    for key in keys:
        own = {name: inputs[name] for name in Pattern.from_key(key.pattern)}
        np.testing.assert_allclose(model.logits(own), record.logits[key], rtol=1e-4, atol=1e-5)
    with pytest.raises(MmptError, match="vae_imputation predicts by probes only"):
        served(store, record, tmp_path / "head", "head")
    weights = store.read_model(record.trial_id)
    assert weights is not None
    groups, header = unpack(weights)
    store.write_model(record.trial_id, pack({name: groups[name] for name in ("model", "probe")}, header))
    with pytest.raises(MmptError, match=r"kept without what completes features \(.*train it anew"):
        served(store, record, tmp_path / "incomplete")


def test_samples_with_different_modalities_come_together(store: Store, cache: Path, tmp_path: Path) -> None:
    record, inputs = trained(toys.spec("naive"), store, cache)
    model = served(store, record, tmp_path / "model")
    stored = {
        key.pattern: logits for key, logits in record.logits.items() if (key.route, key.split) == ("probe", "test")
    }
    left: list[Any] = [*inputs["left"][:4], None, float("nan")]
    right: list[Any] = [*inputs["right"][:2], None, np.full(toys.WIDTH, np.nan), *inputs["right"][4:6]]
    expected = [*stored["left-right"][:2], *stored["left"][2:4], *stored["right"][4:6]]
    np.testing.assert_allclose(model.logits({"left": left, "right": right}), expected, rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_is_refused_with_its_place(store: Store, cache: Path, tmp_path: Path) -> None:
    record, inputs = trained(toys.spec("naive"), store, cache)
    model = served(store, record, tmp_path / "model")
    one, other = inputs["left"][0], inputs["right"][0]
    with pytest.raises(UnknownNameError, match="modality 'lefft'; did you mean 'left'"):
        model.logits({"lefft": [one]})
    with pytest.raises(InvalidValueError, match="sample 1: None is not allowed; expected at least one of left, right"):
        model.logits({"left": [one, None]})
    with pytest.raises(InvalidValueError, match=r"left of sample 0: .*shape \(3,\).* expected float32 of shape \(6,\)"):
        model.logits({"left": [one[:3]]})
    with pytest.raises(InvalidValueError, match="every number one of its type"):
        model.logits({"left": [np.where(np.arange(toys.WIDTH) == 1, np.nan, one)]})
    with pytest.raises(InvalidValueError, match="equally many"):
        model.logits({"left": [one, one], "right": [other]})


def test_a_pattern_that_the_method_does_not_predict_is_named(store: Store, cache: Path, tmp_path: Path) -> None:
    record, inputs = trained(toys.spec("unimodal", method_params={"modality": "right"}), store, cache)
    model = served(store, record, tmp_path / "model", "head")
    with pytest.raises(InvalidValueError, match="at least one of right"):
        model.logits({"left": inputs["left"]})


def test_other_code_than_trained_it_is_refused(store: Store, cache: Path, tmp_path: Path) -> None:
    record, _ = trained(toys.spec("naive"), store, cache)
    served(store, record, tmp_path / "model")
    card = tmp_path / "model" / CARD
    card.write_text(card.read_text().replace('"method": "1"', '"method": "0"'))
    with pytest.raises(MmptError, match="trained with method '0', installed is '1'"):
        ServedModel(tmp_path / "model")


def test_weights_without_probes_serve_only_the_head(store: Store, cache: Path, tmp_path: Path) -> None:
    record, _ = trained(toys.spec("naive"), store, cache)
    weights = store.read_model(record.trial_id)
    assert weights is not None
    store.write_model(record.trial_id, pack({"model": unpack(weights)[0]["model"]}, {}))
    with pytest.raises(MmptError, match="kept without probes"):
        served(store, record, tmp_path / "probe")
    assert served(store, record, tmp_path / "head", "head").route == "head"
