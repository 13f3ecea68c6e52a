"""Every method, by existing: it trains, predicts and stores on two and three modalities, single- and multi-label."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys

from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces import Pattern
from trainables.build import build_method, load_splits, open_prepared
from trainables.catalogs import DATASETS, FUSIONS, METHODS
from trainables.devices import set_up_compute
from trainables.resolve import resolve

BUILT_IN = [name for name in METHODS.names() if METHODS.get(name) not in toys.METHODS]


def choices(method: str, modalities: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every value of the parameters that name a modality; defaults for all others."""
    cls = METHODS.get(method).Hyperparameters
    named = [name for name, item in cls.__dataclass_fields__.items() if "modality" in item.metadata]
    return [dict(zip(named, values, strict=True)) for values in product(modalities, repeat=len(named))]


@pytest.mark.parametrize("p_train", [0.0, 0.4])
@pytest.mark.parametrize("dataset", ["toy_pair", "toy_triple"])
@pytest.mark.parametrize("method", BUILT_IN)
def test_it_trains_and_stores_what_it_reports(
    method: str, dataset: str, p_train: float, store: Store, cache: Path
) -> None:
    for params in choices(method, DATASETS.get(dataset).modalities()):
        spec = toys.spec(method, dataset, method_params=params, p_train=p_train, epochs=1)
        sweep = Sweep([spec], store=store.root, tracking="none", cache=cache)
        assert not sweep.run(inline=True).failed
        record = store.read_trial(resolve(spec).trial_id)
        assert record.history["name"].str.startswith("train/").any()
        reported = {Pattern.from_key(key) for key in record.facts["reports"]}
        assert reported <= {Pattern.from_key(key.pattern) for key in record.logits if key.route == "probe"}
        assert all(np.isfinite(logits).all() for logits in record.logits.values())
        assert {key.split for key in record.logits} == {"val", "test"}


@pytest.mark.parametrize("method", BUILT_IN)
def test_its_card_and_docstring_say_what_it_is(method: str) -> None:
    cls = METHODS.get(method)
    assert cls.card.title
    assert cls.card.paper
    assert cls.card.idea
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
