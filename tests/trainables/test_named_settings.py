"""Settings by name: presets of a data set, tiny encoders whatever the default, one trial per modality."""

from typing import Any

import pytest

from orchestrator.plan import make_plan
from search_spaces import Grid, TrialSpec
from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.presets import PRESETS
from trainables.catalogs import BACKBONES, DATASETS, ENCODERS
from trainables.dataset_identity import build_dataset
from trainables.each_modality import spread_modalities
from trainables.encoder_names import tiny_name
from trainables.params import spell_out
from trainables.preparing.file_dataset import FileDataset
from trainables.resolve import resolve


def _spec(dataset: str = "av_digits", method: str = "naive", **changes: Any) -> TrialSpec:
    return TrialSpec(dataset=dataset, method=method, **changes)


# -- presets of a data set -------------------------------------------------------------------------------------------


def test_a_preset_is_its_parameters_and_nothing_else() -> None:
    named = resolve(_spec(dataset_params={"preset": "competition"}))
    spelled = resolve(_spec(dataset_params={"components": 3}))
    assert named.spec == spelled.spec
    assert (named.trial_id, named.fingerprint) == (spelled.trial_id, spelled.fingerprint)
    assert "preset" not in named.spec.dataset_params
    assert named.trial_id != resolve(_spec()).trial_id


def test_given_parameters_win_over_the_preset() -> None:
    found = resolve(_spec("pid_synth", dataset_params={"preset": "redundant", "shared": 4})).spec.dataset_params
    assert (found["shared"], found["a"], found["reliability_shared"]) == (4, 1, 0.9)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown preset of av_digits 'competitoin'; did you mean 'competition'"
    ):
        resolve(_spec(dataset_params={"preset": "competitoin"}))
    with pytest.raises(UnknownNameError, match="competition"):
        resolve(_spec(dataset_params={"preset": "zzz"}))


@pytest.mark.parametrize("dataset", list(DATASETS))
def test_every_data_set_has_its_default_and_tiny_and_its_presets_are_allowed(dataset: str) -> None:
    assert build_dataset(dataset, {"preset": "default"}).params == build_dataset(dataset, {}).params
    for name in {"tiny", *DATASETS.get(dataset).presets}:
        settings = DATASETS.get(dataset).presets.get(name, {})
        params = build_dataset(dataset, {"preset": name}).params
        assert {key: value for key, value in spell_out(params).items() if key in settings} == dict(settings)


# -- tiny ------------------------------------------------------------------------------------------------------------


def test_whatever_takes_published_weights_has_a_tiny_configuration() -> None:
    parts = [catalog.get(name) for catalog in (ENCODERS, BACKBONES) for name in catalog]
    assert [part.__name__ for part in parts if part.takes_checkpoint and "tiny" not in part.configurations] == []


@pytest.mark.parametrize(
    ("default", "tiny"),
    [("bert:bert-base-uncased", "bert_tiny"), ("vilt:dandelin/vilt-b32-mlm", "vilt_tiny"), ("conv_tiny", "conv_tiny")],
)
def test_the_tiny_of_a_default(default: str, tiny: str) -> None:
    assert tiny_name(default) == tiny


def test_tiny_is_of_the_data_set_s_own_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DATASETS.get("av_digits"), "default_encoders", {"audio": "ast:lab/audio", "image": "mlp_tiny"})
    monkeypatch.setattr(DATASETS.get("av_digits"), "default_backbone", "tvlt:lab/tvlt")
    one = _spec(seed=101, encoders={"default": "tiny"})
    assert dict(resolve(one).spec.encoders) == {"audio": "ast_tiny", "image": "mlp_tiny"}
    assert dict(resolve(one.replace(fusion="early")).spec.encoders) == {"joint": "tvlt_tiny"}
    only = _spec(seed=102, encoders={"audio": "tiny"})
    assert dict(resolve(only).spec.encoders) == {"audio": "ast_tiny", "image": "mlp_tiny"}


def test_a_named_encoder_wins_over_the_default_entry() -> None:
    found = resolve(_spec(encoders={"default": "conv_tiny", "image": "vit_tiny"}))
    assert dict(found.spec.encoders) == {"audio": "conv_tiny", "image": "vit_tiny"}
    assert found.trial_id == resolve(_spec(encoders={"audio": "conv_tiny", "image": "vit_tiny"})).trial_id


def test_tiny_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DATASETS.get("toy_solo"), "default_encoders", {})
    with pytest.raises(InvalidValueError, match=r"encoder\.left: 'tiny' is not allowed"):
        resolve(
            _spec("toy_solo", "unimodal", method_params={"modality": "left"}, encoders={"default": "tiny"}, seed=103)
        )


# -- each modality ---------------------------------------------------------------------------------------------------


def test_each_is_one_trial_per_modality() -> None:
    spec = _spec("toy_triple", "unimodal", method_params={"modality": "each"})
    assert [one.method_params["modality"] for one in spread_modalities([spec])] == ["left", "middle", "right"]
    assert spread_modalities([_spec()]) == [_spec()]


def test_parameters_of_any_data_set_yield_to_those_of_the_one() -> None:
    grid = Grid({"dataset": "av_digits", "method": "naive", "dataset.preset": "tiny", "av_digits.noise": 0.1})
    assert [dict(spec.dataset_params) for spec in grid] == [{"preset": "tiny", "noise": 0.1}]
    other = grid.with_axis("av_digits.preset", ["competition"])
    assert [dict(spec.dataset_params) for spec in other] == [{"preset": "competition", "noise": 0.1}]


EMBEDDED = [name for name, cls in DATASETS.items() if len(cls.modalities()) > 1 and not issubclass(cls, FileDataset)]


@pytest.mark.parametrize("fusion", ["late", "early"])
@pytest.mark.parametrize("dataset", EMBEDDED)
def test_the_smoke_preset_can_be_planned_on_every_embedded_data_set(dataset: str, fusion: str) -> None:
    plan = make_plan("smoke", PRESETS.get("smoke").grid.with_axis("dataset", [dataset]).with_axis("fusion", [fusion]))
    modalities = sorted(DATASETS.get(dataset).modalities())
    assert len(plan.trials) == 1 + len(modalities)
    experts = [trial.spec.method_params["modality"] for trial in plan.trials if trial.spec.method == "unimodal"]
    assert sorted(experts) == modalities
    assert not any(":" in str(name) for trial in plan.trials for name in trial.spec.encoders.values())
