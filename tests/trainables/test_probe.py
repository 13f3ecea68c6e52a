from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from results.metrics import score
from search_spaces import Pattern
from trainables.data import order_of_epoch
from trainables.probe import FittedProbe, ProbeSettings, ProbeTask, fit_probes

LEFT, BOTH = Pattern(["left"]), Pattern(["left", "right"])


def blobs(rows: int, seed: int, width: int = 5, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    centres = np.random.default_rng(0).normal(size=(classes, width)) * 1.2
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, classes, rows)
    return (centres[targets] + generator.normal(size=(rows, width))).astype(np.float32), targets


def probe_task(seed: int = 1) -> tuple[ProbeTask, np.ndarray, np.ndarray, np.ndarray]:
    train, train_targets = blobs(900, seed)
    val, val_targets = blobs(300, seed + 100)
    task = ProbeTask(
        train=torch.from_numpy(train),
        train_targets=torch.from_numpy(train_targets),
        val=torch.from_numpy(val),
        val_targets=val_targets,
    )
    return task, train, train_targets, val_targets


def test_a_probe_scores_like_logistic_regression() -> None:
    task, train, train_targets, _ = probe_task()
    fitted = fit_probes({BOTH: task}, num_classes=3, multi_label=False, seed=0)[BOTH]
    test, test_targets = blobs(2000, 999)
    ours = score(fitted.logits(torch.from_numpy(test)).numpy(), test_targets)
    reference = LogisticRegression(C=1e6, max_iter=1000).fit(train, train_targets).decision_function(test)
    assert abs(ours - score(reference, test_targets)) < 0.02


def test_the_validation_score_is_that_of_logistic_regression() -> None:
    """Its own epoch and rate are chosen on these 300 samples, so it may be better, by about a standard error at most.

    That is sqrt(0.2 * 0.8 / 300) = 0.023 at the scores here; worse by more than a third of it would be a fault.
    """
    for seed in (1, 2, 3):
        task, train, train_targets, val_targets = probe_task(seed)
        ours = fit_probes({BOTH: task}, num_classes=3, multi_label=False, seed=0)[BOTH].val_score
        reference = LogisticRegression(C=1e6, max_iter=1000).fit(train, train_targets).decision_function(task.val)
        assert -0.008 < ours - score(reference, val_targets) < 0.023


@pytest.mark.parametrize("multi_label", [False, True])
def test_steps_are_those_of_autograd_and_adam(multi_label: bool) -> None:
    task, _, _, val_targets = probe_task()
    if multi_label:
        hot = torch.nn.functional.one_hot(task.train_targets, 3)
        task = replace(task, train_targets=hot, val_targets=np.eye(3, dtype=np.int64)[val_targets])
    settings = ProbeSettings(learning_rates=(1e-2,), epochs=1)
    fitted = fit_probes({BOTH: task}, num_classes=3, multi_label=multi_label, seed=0, settings=settings)[BOTH]
    unchanged = replace(settings, learning_rates=(1e-30,))
    start = fit_probes({BOTH: task}, num_classes=3, multi_label=multi_label, seed=0, settings=unchanged)[BOTH]
    weight, bias = start.weight.clone().requires_grad_(), start.bias.clone().requires_grad_()
    optimizer = torch.optim.AdamW([weight, bias], lr=1e-2, weight_decay=0.0)
    for rows in torch.split(torch.from_numpy(order_of_epoch(len(task.train), 0, 1)), settings.batch_size):
        optimizer.zero_grad()
        logits, targets = task.train[rows] @ weight + bias, task.train_targets[rows]
        loss = torch.nn.functional.cross_entropy
        if multi_label:
            loss, targets = torch.nn.functional.binary_cross_entropy_with_logits, targets.float()
        loss(logits, targets).backward()
        optimizer.step()
    torch.testing.assert_close(fitted.weight, weight.detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(fitted.bias, bias.detach(), rtol=1e-5, atol=1e-6)


def test_probes_fitted_together_are_those_fitted_alone() -> None:
    task, _, _, val_targets = probe_task()
    narrow = ProbeTask(
        train=task.train[:, :2], train_targets=task.train_targets, val=task.val[:, :2], val_targets=val_targets
    )
    settings = {"num_classes": 3, "multi_label": False, "seed": 0}
    alone = fit_probes({BOTH: task}, **settings)[BOTH]
    together = fit_probes({BOTH: task, LEFT: narrow}, **settings)[BOTH]
    assert together.learning_rate == alone.learning_rate
    assert together.epoch == alone.epoch
    torch.testing.assert_close(together.weight, alone.weight, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("multi_label", [False, True])
def test_heads_of_many_widths_and_sample_counts_do_not_disturb_each_other(multi_label: bool) -> None:
    """In float64, every pattern and rate fitted by itself is the one that all together choose."""
    whole, _, _, val_targets = probe_task()
    train_targets = whole.train_targets
    if multi_label:
        train_targets, val_targets = (np.eye(3, dtype=np.int64)[of] for of in (train_targets, val_targets))
        train_targets = torch.from_numpy(train_targets)
    shapes = {"a": (2, 900), "b": (2, 900), "c": (2, 130), "d": (3, 300), "e": (5, 300), "f": (5, 20), "g": (4, 1)}
    tasks = {
        Pattern([name]): ProbeTask(
            train=whole.train[-rows:, -width:].double() + number,
            train_targets=train_targets[-rows:],
            val=whole.val[: 300 - number, -width:].double() + number,
            val_targets=val_targets[: 300 - number],
        )
        for number, (name, (width, rows)) in enumerate(shapes.items())
    }
    settings = ProbeSettings(batch_size=64, epochs=25, patience=4)
    torch.set_default_dtype(torch.float64)
    try:
        together = fit_probes(tasks, num_classes=3, multi_label=multi_label, seed=0, settings=settings)
        heads = {
            (pattern, rate): fit_one(tasks, pattern, replace(settings, learning_rates=(rate,)), multi_label=multi_label)
            for pattern in tasks
            for rate in settings.learning_rates
        }
    finally:
        torch.set_default_dtype(torch.float32)
    assert list(together) == list(tasks)
    assert len({fitted.epoch for fitted in together.values()}) > 2, "they stop at different epochs"
    for pattern, fitted in together.items():
        alone = max((heads[pattern, rate] for rate in settings.learning_rates), key=lambda one: one.val_score)
        assert (fitted.learning_rate, fitted.epoch) == (alone.learning_rate, alone.epoch)
        torch.testing.assert_close(fitted.weight, alone.weight, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(fitted.bias, alone.bias, rtol=1e-9, atol=1e-12)


def fit_one(
    tasks: dict[Pattern, ProbeTask], pattern: Pattern, settings: ProbeSettings, *, multi_label: bool
) -> FittedProbe:
    """Fit one pattern's probe after one step of the others, so that its initial weights are the same."""
    short = {
        name: task if name == pattern else replace(task, train=task.train[:1], train_targets=task.train_targets[:1])
        for name, task in tasks.items()
    }
    return fit_probes(short, num_classes=3, multi_label=multi_label, seed=0, settings=settings)[pattern]


def test_the_epoch_and_learning_rate_are_chosen_on_validation() -> None:
    task, _, _, val_targets = probe_task()
    fitted = fit_probes({BOTH: task}, num_classes=3, multi_label=False, seed=0)[BOTH]
    assert fitted.val_score == score(fitted.logits(task.val).numpy(), val_targets)


def test_multi_label_probes_and_patterns_without_samples() -> None:
    train, targets = blobs(400, 3)
    labels = np.stack([targets == 0, targets != 2], axis=1).astype(np.int64)
    task = ProbeTask(
        train=torch.from_numpy(train),
        train_targets=torch.from_numpy(labels),
        val=torch.from_numpy(train[:100]),
        val_targets=labels[:100],
    )
    empty = ProbeTask(
        train=task.train[:0], train_targets=task.train_targets[:0], val=task.val, val_targets=labels[:100]
    )
    fitted = fit_probes({BOTH: task, LEFT: empty}, num_classes=2, multi_label=True, seed=0)
    assert set(fitted) == {BOTH}
    assert fitted[BOTH].val_score > 0.7
