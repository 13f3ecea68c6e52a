"""The training loop against arithmetic done by hand, with an encoder that differs between training and evaluation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys
from torch import nn

from results.metrics import score
from results.schema import LogitsKey
from results.store import Store
from search_spaces import TrialSpec
from trainables.build import build_method, load_splits, open_prepared
from trainables.data import order_of_epoch
from trainables.devices import seed_everything, set_up_compute
from trainables.loop import TrainingLoop
from trainables.optim import learning_rate_factor
from trainables.resolve import resolve
from trainables.task import TrialTask
from trainables.trial import Trial

NORMALISING = {"left": "normalising_toy", "right": "normalising_toy"}


def make_loop(spec: TrialSpec, cache: Path) -> TrainingLoop:
    resolved, compute = resolve(spec), set_up_compute(1, 0)
    splits = load_splits(open_prepared(resolved, str(cache)), resolved, compute)
    return TrainingLoop(build_method(resolved, compute), splits["train"], splits["val"], resolved.reports[0], compute)


def by_hand(spec: TrialSpec, cache: Path) -> tuple[nn.Module, list[float]]:
    """One epoch of AdamW as PyTorch documents it, with none of the loop's code; also the joint losses per step."""
    loop = make_loop(spec, cache)
    method, train = loop.method, loop.train
    rows = np.flatnonzero(method.usable(train.available))
    order = rows[order_of_epoch(len(rows), spec.seed, 1)]
    starts = range(0, len(order), spec.batch_size)
    state = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in method.parameters() if p.requires_grad]
    seed_everything(spec.seed, 1, 1)
    method.train()
    losses = []
    for step, start in enumerate(starts):
        batch = train.batch(order[start : start + spec.batch_size])
        terms = method.losses(method.fusion.encode(batch), batch)
        losses.append(terms["joint"].mean.item())
        method.zero_grad()
        sum((t.weight * t.mean for t in terms.values()), start=torch.zeros(())).backward()  # type: ignore[no-untyped-call]
        norm = torch.sqrt(sum((p.grad**2).sum() for p, _, _ in state if p.grad is not None))  # type: ignore[arg-type]
        clip = min(1.0, spec.clip_norm / (float(norm) + 1e-6)) if spec.clip_norm else 1.0
        rate = spec.learning_rate * learning_rate_factor(spec, step, spec.epochs * len(starts))
        with torch.no_grad():
            for p, first, second in state:
                gradient = (p.grad if p.grad is not None else torch.zeros_like(p)) * clip
                p.mul_(1 - rate * spec.weight_decay)
                first.mul_(0.9).add_(gradient, alpha=0.1)
                second.mul_(0.999).add_(gradient**2, alpha=0.001)
                corrected = second.sqrt() / (1 - 0.999 ** (step + 1)) ** 0.5 + 1e-8
                p.sub_(rate / (1 - 0.9 ** (step + 1)) * first / corrected)
    return method, losses


@pytest.mark.parametrize(
    "changes",
    [
        {"clip_norm": 0.05, "weight_decay": 0.3, "learning_rate": 0.01},
        {"clip_norm": 0.0, "warmup": 0.5, "epochs": 2},
        {"method": "mtl", "method_params": {"weight_left": 0.1, "weight_right": 5.0}, "weight_decay": 0.0},
    ],
)
def test_an_epoch_is_adamw_on_the_weighted_terms(changes: dict[str, Any], cache: Path) -> None:
    spec = toys.spec(**{"epochs": 1, "encoders": NORMALISING, "batch_size": 64, **changes})
    expected, losses = by_hand(resolve(spec).spec, cache)
    loop = make_loop(resolve(spec).spec, cache)
    rows = next(loop.epochs())
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(loop.method.state_dict()[name], value, rtol=1e-4, atol=1e-6, msg=name)
    reported = next(row for row in rows if row.name == "train/joint")
    sizes = [64, 64, 32]
    assert reported.value == pytest.approx(float(np.average(losses, weights=sizes)), rel=1e-5)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    linear = TrialSpec(dataset="d", method="m", warmup=0.2, schedule="linear")
    factors = [learning_rate_factor(linear, step, 10) for step in range(10)]
    assert factors[:3] == [0.5, 1.0, 1.0]
    assert factors[3:] == pytest.approx([7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
    constant = linear.replace(schedule="constant", warmup=0.0)
    assert {learning_rate_factor(constant, step, 10) for step in range(10)} == {1.0}


def test_the_best_epochs_weights_are_evaluated_in_evaluation_mode(store: Store, cache: Path) -> None:
    """The head's stored validation logits reproduce the best epoch's score, though later epochs were worse."""
    harder = {"noise": 3.0}
    spec = toys.spec(epochs=12, encoders=NORMALISING, learning_rate=0.03, schedule="constant", dataset_params=harder)
    resolved = resolve(spec)
    task = TrialTask(trial_id=resolved.trial_id, spec=resolved.spec.to_config(), store=store.root, cache=str(cache))
    history = [row for rows in Trial(task).epochs() for row in rows]
    scores = {row.epoch: row.value for row in history if row.name == "val/macro_f1"}
    record = store.read_trial(task.trial_id)
    best = int(record.fact("best_epoch") or 0)
    assert best < 12
    assert scores[best] == max(scores.values()) > scores[12]
    targets = store.read_samples(resolved.fingerprint).split("val")[1]
    assert score(record.logits[LogitsKey("head", "left-right", "val")], targets) == scores[best]


def test_methods_train_in_training_mode(cache: Path) -> None:
    loop = make_loop(toys.spec(epochs=1, encoders=NORMALISING), cache)
    before = {name: value.clone() for name, value in loop.method.state_dict().items() if "running_mean" in name}
    next(loop.epochs())
    assert before
    assert all(not torch.equal(loop.method.state_dict()[name], value) for name, value in before.items())


def test_a_unimodal_trial_sees_the_mask_of_every_other_method(cache: Path) -> None:
    rates = {"left": 0.8, "right": 0.8}
    joint = make_loop(toys.spec("mtl", p_train=rates), cache)
    alone = make_loop(toys.spec("unimodal", p_train=rates, method_params={"modality": "right"}), cache)
    np.testing.assert_array_equal(alone.train.available, joint.train.available)
    assert len(alone.rows) == joint.train.available[:, 1].sum()


def test_an_unreadable_checkpoint_starts_the_trial_anew(store: Store, cache: Path) -> None:
    resolved = resolve(toys.spec())
    task = TrialTask(trial_id=resolved.trial_id, spec=resolved.spec.to_config(), store=store.root, cache=str(cache))
    store.write_checkpoint(task.trial_id, b"this is no checkpoint")
    epochs = [row.epoch for rows in Trial(task).epochs() for row in rows if row.name == "val/loss"]
    assert epochs == [1, 2]
    assert store.is_done(task.trial_id)


def test_a_trial_that_is_done_by_now_is_not_trained_again(store: Store, cache: Path) -> None:
    resolved = resolve(toys.spec())
    task = TrialTask(trial_id=resolved.trial_id, spec=resolved.spec.to_config(), store=store.root, cache=str(cache))
    assert list(Trial(task).epochs())
    assert not list(Trial(task).epochs())
    assert list(Trial(TrialTask.from_config({**task.to_config(), "keep_model": True})).epochs())
    assert task.trial_id in store.model_ids()
