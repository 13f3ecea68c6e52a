"""Scores against scikit-learn, losses against known values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from results.counts import Counts, contributions
from results.losses import training_loss
from results.metrics import METRICS, metric_named, score
from search_spaces.errors import InvalidValueError, UnknownNameError


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 6), st.booleans())
def test_scores_are_those_of_scikit_learn(seed: int, num_samples: int, num_classes: int, multi_label: bool) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(num_samples, num_classes)).astype(np.float32)
    targets = random.integers(0, 2, logits.shape) if multi_label else random.integers(0, num_classes, num_samples)
    predicted = (logits > 0).astype(int) if multi_label else logits.argmax(axis=1)
    extra = {"labels": range(num_classes), "zero_division": 0}
    assert score(logits, targets, "macro_f1") == pytest.approx(
        f1_score(targets, predicted, average="macro", **extra), abs=1e-12
    )
    assert score(logits, targets, "micro_f1") == pytest.approx(
        f1_score(targets, predicted, average="micro", **extra), abs=1e-12
    )
    assert score(logits, targets, "accuracy") == pytest.approx(accuracy_score(targets, predicted), abs=1e-12)


def test_classes_nobody_has_count_as_zero() -> None:
    logits = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert score(logits, np.array([0, 0]), "macro_f1") == pytest.approx(1 / 3)


def test_counts_keep_leading_axes() -> None:
    sums = np.arange(2 * 3 * 5).reshape(2, 3, 5)
    counts = Counts.of(sums, np.array([0, 1, 1]))
    assert {metric.of(counts).shape for metric in map(METRICS.get, METRICS)} == {(2, 3)}


def test_an_unknown_metric_is_named_with_its_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'macro_f1'"):
        metric_named("macrof1")


@pytest.mark.parametrize(("logits", "targets"), [((0, 3), (0,)), ((2, 3), (3,)), ((2, 3), (2, 4)), ((6,), (6,))])
def test_shapes_that_do_not_fit_are_refused(logits: Any, targets: Any) -> None:
    with pytest.raises(InvalidValueError, match="logits and targets"):
        contributions(np.zeros(logits), np.zeros(targets, dtype=int))


def test_losses_survive_large_logits() -> None:
    assert training_loss(np.array([[1000.0, 0.0]]), np.array([1])) == pytest.approx(1000.0)
    assert training_loss(np.array([[1000.0, -1000.0]]), np.array([[0, 1]])) == pytest.approx(1000.0)
