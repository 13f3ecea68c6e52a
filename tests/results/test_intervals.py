"""Intervals cover what they say, resamples are the slow way's, and degenerate input has defined answers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from simulated_seeds import METRICS, population
from sklearn.metrics import accuracy_score, f1_score

from results.counts import contributions
from results.intervals import Estimate
from results.resampling import Resampled, _weights, resample
from search_spaces.errors import InvalidValueError, UnknownNameError

REPETITIONS = 1000


def coverage(seeds: int, samples: int, **spreads: float) -> dict[str, float]:
    """Share of repetitions whose 95 % interval has the truth: of the one model, or of the mean over all seeds."""
    world, random = population(**spreads), np.random.default_rng([seeds, samples])
    covered = dict.fromkeys(METRICS, 0)
    for repetition in range(REPETITIONS):
        targets, difficulty = world.samples(random, samples)
        models = world.draw(random, seeds)
        parts = world.method(random, targets, difficulty, models)
        for metric in METRICS:
            truth = world.truth[metric][models[0]] if seeds == 1 else world.truth[metric].mean()
            interval = resample(parts, targets, metric, resamples=300, seed=repetition).estimate().interval()
            covered[metric] += interval.low <= truth <= interval.high
    return {metric: number / REPETITIONS for metric, number in covered.items()}


@pytest.mark.parametrize("seeds", [1, 3, 5])
@pytest.mark.parametrize("samples", [300, pytest.param(600, marks=pytest.mark.slow)])
def test_a_95_percent_interval_covers_95_percent(seeds: int, samples: int) -> None:
    for metric, share in coverage(seeds, samples).items():
        assert 0.93 <= share <= 0.97, metric


@pytest.mark.slow
@pytest.mark.parametrize(("skill_spread", "bias_spread"), [(0.0, 0.0), (0.05, 0.06), (0.25, 0.3)])
@pytest.mark.parametrize("seeds", [3, 5])
def test_no_spread_between_seeds_leaves_the_interval_too_short(
    seeds: int, skill_spread: float, bias_spread: float
) -> None:
    for metric, share in coverage(seeds, 400, skill_spread=skill_spread, bias_spread=bias_spread).items():
        assert 0.93 <= share <= 0.98, metric  # rather long with 3 seeds that hardly differ, as the documentation says


def made_up(seeds: int, samples: int = 40, classes: int = 4, *, multi_label: bool = False) -> tuple[list[Any], Any]:
    random = np.random.default_rng(seeds)
    targets = random.integers(0, 2 if multi_label else classes, (samples, classes) if multi_label else samples)
    logits = [random.normal(size=(samples, classes)) for _ in range(seeds)]
    return [contributions(each, targets) for each in logits], targets


@pytest.mark.parametrize("multi_label", [False, True])
def test_replicates_are_scores_of_resampled_samples(multi_label: bool) -> None:
    random = np.random.default_rng(3)
    targets = random.integers(0, 2 if multi_label else 4, (40, 4) if multi_label else 40)
    logits = random.normal(size=(40, 4))
    predicted = (logits > 0).astype(int) if multi_label else logits.argmax(axis=1)
    for metric, kind in (("macro_f1", "macro"), ("micro_f1", "micro"), ("accuracy", None)):
        found = resample([contributions(logits, targets)], targets, metric, resamples=7, seed=11)
        for weights, replicate in zip(_weights(found.draw), found.replicates[:, 0], strict=True):
            rows = np.repeat(np.arange(40), weights)
            assert len(rows) == 40
            pair = (targets[rows], predicted[rows])
            expected = (
                f1_score(*pair, average=kind, labels=range(4), zero_division=0) if kind else accuracy_score(*pair)
            )
            assert replicate == pytest.approx(expected, abs=1e-12)


def test_chunks_and_expectations_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    parts, targets = made_up(2)
    whole = resample(parts, targets, resamples=20)
    monkeypatch.setattr("results.resampling._CHUNK_WEIGHTS", 130)
    pieces = resample([part.astype(np.float64) for part in parts], targets, resamples=20)
    np.testing.assert_array_equal(whole.replicates, pieces.replicates)


def test_the_variance_is_split_as_documented() -> None:
    observed = np.array([0.5, 0.6, 0.7])
    replicates = np.random.default_rng(0).normal(0.6, 0.1, (50, 1)) + np.array([[-0.01, 0.0, 0.02]]) * np.ones((50, 3))
    estimate = Resampled(observed, replicates, (9, 50, 0), np.arange(9)).estimate()  # type: ignore[arg-type]
    assert estimate.value == pytest.approx(0.6)
    assert estimate.between == pytest.approx(0.01 / 3)
    assert estimate.sampling == pytest.approx(replicates[:, 0].var(ddof=1) * 9 / 8)  # seeds move together: no V_ST


def test_known_quantiles() -> None:
    """Student's t at 0.975 is 4.302652729911275 with 2 and 1.9842169515086827 with 99 degrees of freedom."""
    interval = Estimate(0.5, 0.0003, 0.0001, samples=100, seeds=3).interval()
    assert interval.high - 0.5 == pytest.approx(0.02 * (0.75 * 1.9842169515086827 + 0.25 * 4.302652729911275), abs=1e-9)
    alone = Estimate(0.5, 0.0004, 0.0, samples=100, seeds=1)
    assert alone.interval().high - 0.5 == pytest.approx(0.02 * 1.9842169515086827, abs=1e-9)
    assert (alone.interval().over, interval.over) == ("test samples", "test samples and seeds")


@pytest.mark.parametrize("value", [0.001, 0.05, -0.2, 0.9])
def test_the_interval_of_level_1_minus_p_ends_at_zero(value: float) -> None:
    estimate = Estimate(value, 0.0004, 0.0003, samples=400, seeds=3, lowest=-1.0)
    interval = estimate.interval(1 - estimate.p_value)
    assert min(abs(interval.low), abs(interval.high)) == pytest.approx(0, abs=1e-9)


def test_overwhelming_evidence_has_p_zero() -> None:
    assert Estimate(0.9, 1e-8, 0.0, samples=5000, seeds=1, lowest=-1.0).p_value == 0


@pytest.mark.parametrize("seeds", [1, 3])
def test_identical_methods_do_not_differ(seeds: int) -> None:
    parts, targets = made_up(seeds)
    method = resample(parts, targets, resamples=50)
    estimate = (method - method).estimate()
    interval = estimate.interval()
    assert (estimate.value, estimate.p_value, interval.low, interval.high) == (0, 1, 0, 0)


def test_one_sample_excludes_nothing() -> None:
    parts, targets = made_up(3, samples=1)
    method = resample(parts, targets, resamples=5)
    interval = method.estimate().interval()
    assert (interval.low, interval.high) == (0, 1)
    difference = (method - resample(parts[::-1], targets, resamples=5)).estimate()
    assert (difference.interval().low, difference.interval().high, difference.p_value) == (-1, 1, 1)


def test_a_perfect_score_is_not_certain() -> None:
    targets = np.arange(60) % 3
    interval = resample([contributions(np.eye(3)[targets], targets)], targets, "accuracy", resamples=50).estimate()
    assert interval.interval().low == pytest.approx(1 - 2.0009953780882688 * np.sqrt(2 * 62) / 64**1.5, abs=1e-9)
    assert interval.interval().high == 1


def test_predictions_of_one_class_vary_with_the_class_totals() -> None:
    targets = np.repeat([0, 1, 2], [50, 30, 20])
    parts = [contributions(np.tile([1.0, 0.0, 0.0], (100, 1)), targets)]
    estimate = resample(parts, targets, "macro_f1").estimate()
    assert estimate.value == pytest.approx(2 / 9)
    assert 0 < estimate.interval().low < 2 / 9 < estimate.interval().high < 1 / 3


def test_a_class_absent_from_test_counts_as_zero_in_every_resample() -> None:
    random = np.random.default_rng(0)
    targets, logits = np.arange(80) % 2, random.normal(size=(80, 2))
    absent = np.column_stack([logits, np.full(80, -9.0)])
    found = resample([contributions(absent, targets)], targets, "macro_f1", resamples=20)
    present = resample([contributions(logits, targets)], targets, "macro_f1", resamples=20)
    np.testing.assert_allclose(found.replicates, present.replicates * 2 / 3)


def _with_nan(parts: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    return [np.where(np.arange(part.shape[1]) == 2, np.nan, part) for part in parts]


def test_input_that_would_give_wrong_numbers_is_refused() -> None:
    parts, targets = made_up(2)
    multi_parts, multi_targets = made_up(2, multi_label=True)
    wrong: list[tuple[Any, Any, dict[str, Any], str]] = [
        (_with_nan(parts), targets, {}, "NaN or infinity in seed 0"),
        ([], targets, {}, "one .* array per seed"),
        ([parts[0], parts[1][:-1]], targets, {}, "one .* array per seed"),
        (parts, targets[:-1], {}, "one .* array per seed"),
        ([part[:, :-1] for part in parts], targets, {}, "one .* array per seed"),
        (multi_parts, multi_targets[:, :-1], {}, "one .* array per seed"),
        (parts, targets, {"resamples": 1}, "at least 2"),
    ]
    for given_parts, given_targets, options, message in wrong:
        with pytest.raises(InvalidValueError, match=message):
            resample(given_parts, given_targets, **options)
    with pytest.raises(UnknownNameError, match="did you mean 'macro_f1'"):
        resample(parts, targets, "macrof1")
    with pytest.raises(InvalidValueError, match="between 0 and 1"):
        resample(parts, targets, resamples=5).estimate().interval(95)


def test_only_the_same_samples_seeds_and_resamples_are_paired() -> None:
    parts, targets = made_up(2)
    method = resample(parts, targets, resamples=5)
    with pytest.raises(InvalidValueError, match="the same number of each"):
        method - resample(parts[:1], targets, resamples=5)
    for other in (resample(parts, targets, resamples=5, seed=1), resample(parts, targets[::-1], resamples=5)):
        with pytest.raises(InvalidValueError, match="the same test samples"):
            method - other
