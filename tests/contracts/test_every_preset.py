"""Every preset: its trials are distinct and exist, and it can be planned on data that ships with the program."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.plan import make_plan
from results.missing_masks import mask_fingerprint
from results.missing_protocols import MISSING_PROTOCOLS
from search_spaces import MissingRates
from search_spaces.arsenal import METHODS, MMPT_DATASETS
from search_spaces.presets import PRESETS
from trainables.build import load_splits, open_prepared
from trainables.catalogs import FUSIONS
from trainables.catalogs import METHODS as KNOWN
from trainables.devices import set_up_compute
from trainables.each_modality import spread_modalities
from trainables.resolve import resolve


@pytest.mark.parametrize("key", list(PRESETS))
def test_every_preset_is_a_set_of_distinct_trials_of_known_methods(key: str) -> None:
    preset = PRESETS.get(key)
    specs = list(preset.grid)
    assert len(specs) == len(set(specs)) == len(preset.grid)
    assert {spec.method for spec in specs} <= set(KNOWN)
    assert {spec.fusion for spec in specs} <= set(FUSIONS)
    assert preset.title
    assert preset.about.endswith(".")


@pytest.mark.parametrize("key", list(PRESETS))
def test_every_preset_can_be_planned_on_av_digits(key: str) -> None:
    grid = PRESETS.get(key).grid.with_axis("dataset", ["av_digits"])
    if "unimodal.modality" in grid.axis_names() and key == "mmpt_imputation":
        grid = grid.with_axis("unimodal.modality", ["audio", "image"])
    plan = make_plan(key, list(grid))
    assert sum(trial.requested for trial in plan.trials) == len(spread_modalities(grid))
    assert not any(set(trial.requires.values()) - {other.trial_id for other in plan.trials} for trial in plan.trials)


@pytest.mark.parametrize("missing", MISSING_PROTOCOLS.names())
def test_all_methods_of_a_preset_train_on_equal_masks(missing: str, cache: Path) -> None:
    """Trials of one protocol, rate and seed have one mask, whatever their method and fusion."""
    grid = PRESETS.get("quickstart").grid.with_axis("dataset", ["toy_pair"]).with_axis("missing", [missing])
    grid = grid.with_axis("p_train", [MissingRates.shared({"mmin": 0.5}.get(missing, 0.4))]).with_seeds(2)
    for axis in ("unimodal.modality", "dropout.modality"):
        grid = grid.with_axis(axis, ["left", "right"])
    found: dict[int, set[str]] = {}
    methods = set()
    for spec in grid:
        resolved = resolve(spec.replace(method_params=_of_toys(spec.method_params), encoders={}))
        train = load_splits(open_prepared(resolved, str(cache)), resolved, set_up_compute(1, 0))["train"]
        fingerprint = mask_fingerprint(train.sample_ids, train.modalities, train.available)
        found.setdefault(spec.seed, set()).add(fingerprint)
        methods.add(resolved.spec.method)
        assert not train.available.all()
    assert methods == set(METHODS)
    assert [len(prints) for prints in found.values()] == [1, 1]
    assert len(set.union(*found.values())) == 2


def _of_toys(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that are named after av_digits' modalities as the toys spell them."""
    return {name.replace("audio", "left").replace("image", "right"): value for name, value in params.items()}


@pytest.mark.parametrize("key", ["mmpt_late", "mmpt_early"])
def test_the_paper_s_search_is_153_trainings_per_data_set(key: str) -> None:
    specs = list(PRESETS.get(key).grid)
    assert Counter(spec.dataset for spec in specs) == dict.fromkeys(MMPT_DATASETS, 153)
    assert Counter(spec.method for spec in specs if spec.dataset == "mm_imdb") == {
        **dict.fromkeys(("naive", "gblend", "ogm_ge", "umt"), 9),
        "unimodal": 18,
        "dropout": 18,
        "mtl": 81,
    }
    weights = {tuple(spec.method_params.values()) for spec in specs if spec.method == "mtl"}
    assert weights == {(one, other) for one in (0.1, 0.5, 1.0) for other in (0.1, 0.5, 1.0)}
    assert {spec.batch_size for spec in specs} == {16, 32, 64}
    assert {spec.learning_rate for spec in specs} == {1e-4, 3e-5, 1e-5}


def test_the_quickstart_has_seven_methods_late_and_three_early() -> None:
    found = {(spec.fusion, spec.method) for spec in PRESETS.get("quickstart").grid}
    assert {method for fusion, method in found if fusion == "late"} == set(METHODS)
    assert {method for fusion, method in found if fusion == "early"} == {"naive", "unimodal", "mtl"}
