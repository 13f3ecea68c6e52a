"""G-Blend: golden weights, the estimate against trainings made by hand, what is held out, and resuming anywhere."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys

from results.metrics import score
from results.store import Store
from search_spaces import Pattern, TrialSpec
from trainables.api import Rehearsed, Term
from trainables.build import build_method, load_splits, open_prepared
from trainables.data import SplitData
from trainables.devices import set_up_compute
from trainables.loop import TrainingLoop
from trainables.methods._blending import blend_weights, gain_and_overfitting, held_out
from trainables.methods.gblend import Gblend
from trainables.optim import learning_rate_factor
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.trial import Trial

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent.parent / "golden" / "gblend.json").read_text())
BATCH = 10
COLUMNS = {
    "equation_negative_G_clamped_to_zero": ("clamped", 4, 4),
    "equation_normalised_signed": ("signed", 4, 4),
    "equation_absolute_value": ("absolute", 4, 4),
    "multibench_official_delta_true": ("multibench_differences", 4, 4),
    "multibench_official_default_delta_false": ("multibench_final", 4, 4),
    "benchmark_toolkit_equal_batch_counts_(4_train_4_val)": ("summed_batches", 4, 4),
    "benchmark_toolkit_unequal_batch_counts_(20_train_4_val)": ("summed_batches", 20, 4),
}
NORMALISING = {"left": "normalising_toy", "right": "normalising_toy"}


def rehearsed(losses: Mapping[str, float], train_batches: int = 4, held_out_batches: int = 4) -> Rehearsed:
    return Rehearsed(
        train_before=losses["tr0"],
        held_out_before=losses["va0"],
        train_after=losses["tr1"],
        held_out_after=losses["va1"],
        num_train=BATCH * train_batches - 3,
        num_held_out=BATCH * held_out_batches,
    )


def make_loop(spec: TrialSpec, cache: Path) -> TrainingLoop:
    resolved, compute = resolve(spec), set_up_compute(1, 0)
    splits = load_splits(open_prepared(resolved, str(cache)), resolved, compute)
    return TrainingLoop(build_method(resolved, compute), splits["train"], splits["val"], resolved.reports[0], compute)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: str(case["name"]))
def test_weights(case: dict[str, Any], column: str) -> None:
    rule, *batches = COLUMNS[column]
    heads = {name: rehearsed(losses, *batches) for name, losses in case["losses"].items()}
    assert blend_weights(heads, rule, BATCH) == pytest.approx(case[column], rel=1e-9, abs=1e-12)
    for name, head in heads.items():
        assert gain_and_overfitting(head) == pytest.approx((case["G"][name], case["O"][name]), rel=1e-9)


def test_a_blended_loss(cache: Path) -> None:
    case, example = GOLDEN["cases"][0], GOLDEN["blended_loss_example"]
    names = {"audio": "left", "visual": "right", "multimodal": "joint"}
    method = make_loop(toys.spec("gblend"), cache).method.double()
    assert isinstance(method, Gblend)
    method.learn({names[name]: rehearsed(losses) for name, losses in case["losses"].items()})
    weights = method.term_weights()
    terms = [Term(torch.tensor(loss), 1, weights[names[name]]) for name, loss in example["losses"].items()]
    blended = sum(float(term.weight) * term.mean.item() for term in terms)
    assert blended == pytest.approx(example["blended_loss"], rel=1e-7)  # the losses are float32 here
    for name, expected in example["weights"].items():
        assert weights[names[name]].item() == pytest.approx(expected, rel=1e-9)


def test_heads_that_gain_nothing_share_the_weight_and_overfitting_has_a_floor() -> None:
    worse = {"tr0": 1.0, "va0": 1.0, "tr1": 0.5, "va1": 1.5}
    heads = {name: rehearsed(worse) for name in ("a", "b")}
    assert blend_weights(heads, "clamped", BATCH) == {"a": 0.5, "b": 0.5}
    no_gap = rehearsed({"tr0": 1.0, "va0": 1.0, "tr1": 0.5, "va1": 0.5})
    small = rehearsed({"tr0": 1.0, "va0": 1.0, "tr1": 0.498, "va1": 0.5})
    weights = blend_weights({"no_gap": no_gap, "small": small}, "clamped", BATCH)
    assert weights["no_gap"] / weights["small"] == pytest.approx(0.002**2 / 1e-6)


def test_a_tenth_of_every_class_and_of_what_is_available_is_held_out() -> None:
    random = np.random.default_rng(0)
    targets = random.choice(4, size=1000, p=[0.5, 0.3, 0.15, 0.05])
    available = np.column_stack([np.ones(1000, dtype=bool), random.random(1000) < 0.5])
    chosen = held_out(available, targets, seed=3)
    assert chosen.sum() == 100
    for has in (False, True):
        for target in range(4):
            group = (targets == target) & (available[:, 1] == has)
            assert abs(chosen[group].sum() - group.sum() / 10) < 1
    assert np.array_equal(chosen, held_out(available, targets, seed=3))
    assert not np.array_equal(chosen, held_out(available, targets, seed=4))
    labels = (random.random((1000, 5)) < 0.2).astype(np.int64)
    assert held_out(available, labels, seed=3).sum() == 100


def by_hand(
    spec: TrialSpec, cache: Path, modality: str, train_rows: Any, held_out_rows: Any
) -> tuple[float, float, float, float]:
    """Losses before and after training one encoder and its head, with none of the loop's optimiser code."""
    loop = make_loop(spec, cache)
    method, data = loop.method, loop.train
    assert isinstance(method, Gblend)
    encoder, head, column = method.fusion.encoders[modality], method.heads[modality], data.modalities.index(modality)
    assert data.available[:, column].all()

    def loss(rows: Any) -> Any:
        return method.criterion(head(encoder(data.inputs[modality][rows])), data.targets[rows])

    def measured() -> list[float]:
        method.eval()
        with torch.no_grad():
            return [loss(rows).item() for rows in (train_rows, held_out_rows)]

    before = measured()
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], weight_decay=spec.weight_decay)
    for epoch in range(1, spec.epochs + 1):
        method.train()
        order = train_rows[np.random.default_rng([spec.seed, epoch]).permutation(len(train_rows))]
        starts = range(0, len(order), spec.batch_size)
        for index, start in enumerate(starts):
            optimizer.zero_grad()
            loss(order[start : start + spec.batch_size]).backward()
            torch.nn.utils.clip_grad_norm_([*encoder.parameters(), *head.parameters()], spec.clip_norm)
            step = (epoch - 1) * len(starts) + index
            factor = learning_rate_factor(spec, step, spec.epochs * len(starts))
            optimizer.param_groups[0]["lr"] = spec.learning_rate * factor
            optimizer.step()
    return (*before, *measured())  # type: ignore[return-value]


def test_the_estimate_is_that_of_trainings_made_by_hand(cache: Path) -> None:
    spec = resolve(toys.spec("gblend", epochs=2, learning_rate=0.01, weight_decay=0.1)).spec
    loop = make_loop(spec, cache)
    planned = {rehearsal.term: rehearsal for rehearsal in loop.rehearsals.planned}
    assert set(planned) == {"joint", "left", "right"}
    assert len(planned["joint"].held_out_rows) == 16
    rows = [row for epoch in loop.rehearsals.epochs() for row in epoch]
    facts = {row.name: row.value for row in rows if row.epoch is None}
    heads = {}
    for modality in ("left", "right"):
        one = planned[modality]
        assert not set(one.train_rows) & set(one.held_out_rows)
        expected = by_hand(spec, cache, modality, one.train_rows, one.held_out_rows)
        assert loop.rehearsals.measured[modality] == pytest.approx(list(expected), rel=1e-4)
        before, val_before, after, val_after = expected
        heads[modality] = rehearsed({"tr0": before, "va0": val_before, "tr1": after, "va1": val_after})
        for name, value in zip("GO", gain_and_overfitting(heads[modality]), strict=True):
            assert facts[f"gblend/{modality}/{name}"] == pytest.approx(value, rel=1e-3, abs=1e-5)
    blend = [facts[f"gblend/{term}/weight"] for term in ("joint", "left", "right")]
    assert sum(blend) == pytest.approx(1)
    assert loop.method.get_buffer("blend").tolist() == pytest.approx(blend, rel=1e-6)


def test_the_real_training_starts_from_the_initial_weights(cache: Path) -> None:
    spec = toys.spec("gblend", encoders=NORMALISING)
    loop = make_loop(spec, cache)
    initial = {name: value.clone() for name, value in loop.method.state_dict().items() if name != "blend"}
    assert len(list(loop.rehearsals.epochs())) == 3 * spec.epochs
    assert all(torch.equal(loop.method.state_dict()[name], value) for name, value in initial.items())
    mtl = make_loop(toys.spec("mtl", encoders=NORMALISING), cache)
    for name in ("left", "right"):
        assert torch.equal(mtl.method.state_dict()[f"heads.{name}.weight"], initial[f"heads.{name}.weight"])


def test_rehearsals_of_one_modality_run_no_other_encoder(cache: Path) -> None:
    loop = make_loop(toys.spec("gblend", "toy_triple", epochs=1), cache)
    ran: list[str] = []
    for name, encoder in loop.method.fusion.encoders.items():
        encoder.register_forward_hook(lambda *_, name=name: ran.append(name))
    seen = []
    for rows in loop.rehearsals.epochs():
        seen.append((rows[0].name, set(ran)))
        ran.clear()
    every = {"left", "middle", "right"}
    expected = [("rehearsal/joint/loss", every), *((f"rehearsal/{name}/loss", {name}) for name in sorted(every))]
    assert seen == expected


@pytest.mark.parametrize("after", range(1, 9))
def test_a_training_goes_on_from_any_epoch_with_the_same_numbers(after: int, cache: Path) -> None:
    """Two epochs each of three rehearsals and of the real training, with batch normalisation and drop-out."""
    spec = toys.spec("gblend", encoders=NORMALISING, p_train={"left": 0.3})
    whole, broken = make_loop(spec, cache), make_loop(spec, cache)
    rows = [list(epoch) for epoch in whole.epochs()]
    assert len(rows) == 8
    steps = broken.epochs()
    for _ in range(after):
        next(steps)
    resumed = make_loop(spec, cache)
    resumed.restore(broken.checkpoint())
    assert [list(epoch) for epoch in resumed.epochs()] == rows[after:]
    assert resumed.history == whole.history
    final = whole.method.state_dict()
    assert all(torch.equal(value, final[name]) for name, value in resumed.method.state_dict().items())


def test_a_killed_trial_goes_on_in_the_middle_of_a_rehearsal(store: Store, cache: Path) -> None:
    resolved = resolve(toys.spec("gblend"))
    task = TrialTask(
        trial_id=resolved.trial_id,
        spec=resolved.spec.to_config(),
        store=store.root,
        cache=str(cache),
        checkpoint_seconds=0.0,
    )
    first = Trial(task).epochs()
    for _ in range(3):
        next(first)
    first.close()
    names = [row.name for rows in Trial(task).epochs() for row in rows if row.epoch is not None]
    assert names.count("rehearsal/joint/loss") == 2  # as restored
    record = store.read_trial(task.trial_id)
    assert record.fact("gblend/joint/weight") is not None
    assert record.history["name"].tolist().count("rehearsal/left/loss") == 2


def test_heads_without_samples_are_not_estimated(cache: Path) -> None:
    loop = make_loop(toys.spec("gblend", p_train={"left": 1.0}), cache)
    assert [rehearsal.term for rehearsal in loop.rehearsals.planned] == ["right"]
    rows = [row for epoch in loop.epochs() for row in epoch]
    assert {row.name for row in rows if row.name.startswith("train/")} == {"train/right"}
    assert loop.method.get_buffer("blend").tolist() == [0.0, 0.0, 1.0]


def test_a_joint_head_of_weight_zero_neither_predicts_nor_chooses_the_epoch(store: Store, cache: Path) -> None:
    """Where no sample is complete, nothing is known of the joint head; the others' mean score chooses."""
    spec = toys.spec("gblend", p_train={"left": 1.0}, dataset_params={"noise": 2.0}, epochs=4, learning_rate=0.03)
    loop = make_loop(spec, cache)
    rows = [row for epoch in loop.epochs() for row in epoch]
    assert loop.method.judged_by(loop.main) == [("right",)]
    features = loop.method.eval().encode(loop.val.batch(np.arange(len(loop.val))))
    assert loop.method.predict(features, loop.main) is None
    found = [row.value for row in rows if row.name == "val/macro_f1"]
    assert max(found) == loop.best_score
    right = loop.method.predict(features, Pattern(["right"]))
    assert right is not None
    assert score(right.detach().numpy(), loop.val.targets_host) == pytest.approx(loop.best_score)


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_heads_with_weight_choose_the_epoch_by_their_mean_score(fusion: str, cache: Path) -> None:
    loop = make_loop(toys.spec("gblend", fusion=fusion), cache)
    method = loop.method
    gained = {"tr0": 1.0, "va0": 1.0, "tr1": 0.5, "va1": 0.6}
    worse = {"tr0": 1.0, "va0": 1.0, "tr1": 0.5, "va1": 1.2}
    method.learn({"joint": rehearsed(worse), "left": rehearsed(gained), "right": rehearsed(gained)})
    assert [list(pattern) for pattern in method.judged_by(loop.main)] == [["left"], ["right"]]
    means = {row.name: row.value for row in loop._validate()}
    single = [loop._judged(Pattern([name])) for name in ("left", "right")]
    for name, mean in means.items():
        assert mean == pytest.approx(np.mean([one[name.removeprefix("val/")] for one in single]))
    method.learn({name: rehearsed(gained) for name in ("joint", "left", "right")})
    assert method.judged_by(loop.main) == [loop.main]


def available_of(data: SplitData, modality: str) -> Any:
    return data.available[:, data.modalities.index(modality)]


def test_every_head_learns_from_the_samples_that_have_its_modalities(cache: Path) -> None:
    loop = make_loop(toys.spec("gblend", "toy_triple", p_train=0.4), cache)
    for rehearsal in loop.rehearsals.planned:
        rows = np.sort(np.concatenate([rehearsal.train_rows, rehearsal.held_out_rows]))
        has = np.all([available_of(loop.train, name) for name in rehearsal.pattern], axis=0)
        np.testing.assert_array_equal(rows, np.flatnonzero(has))
