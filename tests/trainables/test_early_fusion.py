"""Early fusion under every method: what rows see, what is trained through which pass, and what planning refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sequences
import torch
import toys

from results.metrics import score
from results.store import Store
from search_spaces import InvalidValueError, Pattern, TrialSpec, UnknownNameError
from trainables.api import Batch, Method
from trainables.build import build_method, load_splits, open_prepared
from trainables.checkpoint import unpack
from trainables.devices import set_up_compute
from trainables.encoder_names import build_backbone
from trainables.evaluate import evaluate
from trainables.fusion.early import Early
from trainables.loop import TrainingLoop
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.trial import Trial

METHODS: dict[str, dict[str, Any]] = {
    "naive": {},
    "unimodal": {"modality": "left"},
    "dropout": {"modality": "left"},
    "mtl": {},
    "umt": {},
}
NAMES = ("audio", "image", "text")


def early(method: str, dataset: str = "toy_pair", **changes: Any) -> TrialSpec:
    return toys.spec(method, dataset, fusion="early", **{"method_params": METHODS.get(method, {}), **changes})


def built(spec: TrialSpec, cache: Path) -> tuple[Method, TrainingLoop]:
    resolved, compute = resolve(spec), set_up_compute(1, 0)
    splits = load_splits(open_prepared(resolved, str(cache)), resolved, compute)
    method = build_method(resolved, compute)
    return method, TrainingLoop(method, splits["train"], splits["val"], resolved.reports[0], compute)


def a_batch(method: Method, cache: Path, rows: int = 24) -> Batch:
    resolved = resolve(method.spec)
    splits = load_splits(open_prepared(resolved, str(cache)), resolved, set_up_compute(1, 0))
    return splits["train"].batch(np.arange(rows))


@pytest.fixture
def fusion() -> Early:
    torch.manual_seed(0)
    return Early(build_backbone("tokens_tiny", sequences.infos(*NAMES)), NAMES, 2).eval()


def changed(batch: Batch, modality: str) -> Batch:
    inputs = {name: x.roll(1, 0) if name == modality else x for name, x in batch.inputs.items()}
    return Batch(inputs=inputs, available=batch.available, modalities=batch.modalities, targets=batch.targets)


class TestWhatRowsSee:
    def test_together_every_modality_depends_on_every_other_and_alone_on_none(self, fusion: Early) -> None:
        batch = sequences.batch(sequences.infos(*NAMES), complete=True)
        other = changed(batch, "text")
        together, alone = fusion.encode(batch), fusion.alone({}, batch)
        assert not torch.allclose(together["audio"], fusion.encode(other)["audio"])
        assert torch.equal(alone["audio"], fusion.alone({}, other)["audio"])

    def test_a_row_does_not_depend_on_the_batch(self, fusion: Early) -> None:
        infos = sequences.infos(*NAMES)
        batch = sequences.batch(infos)
        together = fusion.encode(batch)
        for row in range(len(batch)):
            seen: dict[str, torch.Tensor] = {}
            for column, name in enumerate(NAMES):
                before, has = int(batch.available[:row, column].sum()), int(batch.available[row, column])
                seen[name] = batch.inputs[name][before : before + has]
            one = Batch(
                inputs=seen,
                available=batch.available[row : row + 1],
                modalities=NAMES,
                targets=batch.targets[row : row + 1],
            )
            for name, z in fusion.encode(one).items():
                torch.testing.assert_close(z[0], together[name][row], rtol=1e-5, atol=1e-5)

    def test_a_pair_of_three_is_an_unmasked_pass_over_the_pair(self, fusion: Early) -> None:
        batch = sequences.batch(sequences.infos(*NAMES), complete=True)
        pair = Batch(
            inputs={name: batch.inputs[name] for name in ("audio", "text")},
            available=batch.available & np.isin(NAMES, ("audio", "text")),
            modalities=NAMES,
            targets=batch.targets,
        )
        features = fusion.encode(pair)
        assert set(features) == {"audio", "text"}
        expected = Early(fusion.backbone, ("audio", "text"), 2).encode(batch)
        for name, z in features.items():
            torch.testing.assert_close(z, expected[name])

    @pytest.mark.parametrize("lacking", ["text", "audio"])
    def test_a_batch_in_which_no_sample_has_a_modality(self, fusion: Early, lacking: str) -> None:
        batch = sequences.batch(sequences.infos(*NAMES), complete=True)
        without = batch.without(lacking, np.ones(6, dtype=bool))
        assert len(without.inputs[lacking]) == 0
        for features in (fusion.encode(without), fusion.alone({}, without), fusion.masked(without)):
            assert torch.equal(features[lacking], torch.zeros(6, 48))
            assert all(torch.isfinite(z).all() for z in features.values())

    def test_losing_a_modality_is_never_having_had_it(self, fusion: Early) -> None:
        infos = sequences.infos(*NAMES)
        batch = sequences.batch(infos)
        lost = np.array([True, False, False, False, True, False])
        shown = fusion.encode(batch.without("audio", lost))
        for row in np.flatnonzero(lost):
            assert not shown["audio"][row].any()
        other = changed(batch, "audio").without("audio", lost)
        torch.testing.assert_close(shown["image"][0], fusion.encode(other)["image"][0], rtol=0, atol=0)

    def test_a_teacher_is_the_masked_model_of_its_modality(self, fusion: Early) -> None:
        batch = sequences.batch(sequences.infos(*NAMES))
        teacher = fusion.only("image")
        assert list(teacher.encode(batch)) == ["image"]
        torch.testing.assert_close(teacher.encode(batch)["image"], fusion.alone({}, batch)["image"])
        assert not any(key.startswith("head") for key in teacher.state_dict())


class TestWhatIsTrained:
    @pytest.mark.parametrize("dataset", ["toy_pair", "toy_triple"])
    def test_mtl_puts_its_auxiliary_heads_on_each_modality_alone(self, dataset: str, cache: Path) -> None:
        method, _ = built(early("mtl", dataset, p_train=0.5), cache)
        batch = a_batch(method, cache)
        features = method.encode(batch)
        alone = method.fusion.alone(features, batch)
        terms = method.losses(features, batch)
        for name in method.info.modalities:
            expected = method.term(method.heads[name](alone[name]), batch, name)  # type: ignore[operator, index]
            assert expected is not None
            assert terms[name].count == expected.count
            torch.testing.assert_close(terms[name].mean, expected.mean)
        assert terms["joint"].count == batch.available.all(axis=1).sum() < len(batch)

    def test_umt_distils_each_modality_alone_from_its_own_expert(self, cache: Path) -> None:
        method, _ = built(early("umt", "toy_triple", p_train=0.5), cache)
        experts = {
            name: built(early("unimodal", "toy_triple", method_params={"modality": name}, seed=seed), cache)[0]
            for seed, name in enumerate(method.info.modalities, 1)
        }
        method.receive({name: expert.state_dict() for name, expert in experts.items()})
        batch = a_batch(method, cache)
        features = method.encode(batch)
        alone, terms = method.fusion.alone(features, batch), method.losses(features, batch)
        for name, expert in experts.items():
            rows = batch.rows(name)
            assert rows is not None
            target = expert.eval().fusion.encode(batch)[name]
            torch.testing.assert_close(terms[f"distil_{name}"].mean, (alone[name] - target)[rows].square().mean())
            assert terms[f"distil_{name}"].count == len(rows)

    @pytest.mark.parametrize("fusion", ["early", "late"])
    def test_the_teachers_of_umt_are_in_no_checkpoint(self, fusion: str, cache: Path) -> None:
        method, loop = built(toys.spec("umt", fusion=fusion), cache)
        own = set(method.state_dict())
        expert = built(toys.spec("unimodal", fusion=fusion, method_params={"modality": "left"}), cache)[0]
        method.receive({"left": expert.state_dict()})
        assert set(method.state_dict()) == own == set(unpack(loop.checkpoint())[0]["model"])
        assert set(method.frozen) == {"left"}
        assert not any(p.requires_grad for p in method.frozen["left"].parameters())
        assert not method.train().frozen["left"].training
        before = {name: value.clone() for name, value in method.frozen["left"].state_dict().items()}
        assert list(loop.epochs())
        assert all(torch.equal(value, before[name]) for name, value in method.frozen["left"].state_dict().items())

    def test_dropout_hides_the_tokens_of_what_it_drops(self, cache: Path) -> None:
        method, _ = built(early("dropout", method_params={"modality": "left", "p": 0.5}), cache)
        batch = a_batch(method, cache)
        torch.manual_seed(4)
        features = method.train().encode(batch)
        dropped = ~features["left"].any(dim=1)
        assert 0 < dropped.sum() < len(batch)
        alone = method.fusion.alone({}, batch)["right"]
        same = torch.isclose(features["right"], alone, atol=1e-6).all(dim=1)
        assert torch.equal(same, dropped)
        assert method.losses(features, batch)["joint"].count == len(batch)
        assert method.eval().encode(batch)["left"].any(dim=1).all()

    @pytest.mark.parametrize("p_train", [0.0, 0.5])
    @pytest.mark.parametrize("dataset", ["toy_pair", "toy_triple"])
    @pytest.mark.parametrize("name", METHODS)
    def test_it_learns_with_finite_gradients_and_goes_on_from_a_checkpoint(
        self, name: str, dataset: str, p_train: float, cache: Path
    ) -> None:
        spec = early(name, dataset, p_train=p_train, epochs=4, learning_rate=3e-3)
        method, loop = built(spec, cache)
        for rows in loop.epochs():
            assert all(p.grad is None or torch.isfinite(p.grad).all() for p in method.parameters())
            if loop.epoch == 2:
                checkpoint = loop.checkpoint()
            assert rows
        term = "train/left" if name == "unimodal" else "train/joint"
        losses = [row.value for row in loop.history if row.name == term]
        assert losses[-1] < 0.9 * losses[0]  # one modality of three tells only one label of three

        again, resumed = built(spec, cache)
        resumed.restore(checkpoint)
        assert list(resumed.epochs())
        for key, value in method.state_dict().items():
            assert torch.equal(value, again.state_dict()[key]), key

    def test_every_pattern_of_three_is_predicted_and_probed(self, cache: Path) -> None:
        method, loop = built(early("mtl", "toy_triple", epochs=1), cache)
        assert list(loop.epochs())
        splits = {"train": loop.train, "val": loop.val, "test": loop.val}
        evaluation = evaluate(method, splits, method.info.modalities, set_up_compute(1, 0))
        for route in ("head", "probe"):
            assert len({key.pattern for key in evaluation.logits if key.route == route}) == 7


def _finish(spec: TrialSpec, root: Path, cache: Path) -> Any:
    store = Store(str(root))
    store.prepare()
    resolved = resolve(spec)
    config = resolved.spec.to_config()
    task = TrialTask(trial_id=resolved.trial_id, spec=config, store=store.root, cache=str(cache))
    for _ in Trial(task).epochs():
        pass
    return store.read_trial(resolved.trial_id)


def test_two_equal_trials_have_equal_numbers(cache: Path, tmp_path: Path) -> None:
    spec = early("dropout", "toy_triple", p_train=0.5)
    one, other = (_finish(spec, tmp_path / name, cache) for name in ("one", "other"))
    assert one.logits
    for key, logits in one.logits.items():
        np.testing.assert_array_equal(logits, other.logits[key])


def test_naive_early_fusion_learns_av_digits(cache: Path) -> None:
    """20 epochs are about 3 seconds of one core; the whole is far above its parts and above chance (0.1)."""
    spec = TrialSpec(dataset="av_digits", method="naive", fusion="early", epochs=10, learning_rate=3e-3)
    method, loop = built(spec, cache)
    assert list(loop.epochs())
    assert loop.best_score > 0.75
    logits = evaluate(
        method, dict.fromkeys(("train", "val", "test"), loop.val), ("audio", "image"), loop.compute
    ).logits
    scores = {
        k.pattern: score(v, loop.val.targets_host) for k, v in logits.items() if (k.route, k.split) == ("head", "val")
    }
    assert scores["audio-image"] > max(scores["audio"], scores["image"])


class TestPlanning:
    def test_a_spec_names_one_backbone(self) -> None:
        resolved = resolve(early("naive"))
        assert dict(resolved.spec.encoders) == {"joint": "tokens_tiny"}
        assert resolved.versions["encoders"] == {"joint": "tokens_tiny/1"}

    def test_what_the_other_fusion_would_use_changes_nothing(self) -> None:
        named = early("naive", encoders={"left": "mlp_tiny", "joint": "tokens_tiny"})
        assert resolve(named).trial_id == resolve(early("naive")).trial_id
        late = toys.spec("naive", encoders={"joint": "tokens_tiny"})
        assert resolve(late).trial_id == resolve(toys.spec("naive")).trial_id

    def test_unknown_names_are_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="joint"):
            resolve(early("naive", encoders={"jiont": "tokens_tiny"}))
        with pytest.raises(UnknownNameError, match="tokens_tiny"):
            resolve(early("naive", encoders={"joint": "token_tiny"}))

    @pytest.mark.parametrize("method", ["naive", "unimodal", "umt"])
    def test_a_backbone_that_does_not_read_the_data_is_refused(self, method: str) -> None:
        with pytest.raises(InvalidValueError, match="one for vector inputs; this one reads image, text"):
            resolve(early(method, encoders={"joint": "vilt_tiny"}))

    def test_the_experts_of_umt_are_early_fusion_too(self) -> None:
        resolved = resolve(early("umt", "toy_triple", p_train=0.5))
        for name, needed in resolved.requirements().items():
            expert = resolve(needed)
            assert expert.fusion is Early
            assert expert.reports == (Pattern([name]),)
            assert expert.versions["encoders"] == resolved.versions["encoders"]
