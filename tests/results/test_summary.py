"""What a tracker is given about one trial."""

import math
import re
from collections.abc import Callable

import pytest

from results.schema import Samples, TrialRecord
from results.summary import MOST_METRICS, final_metrics, p_test_curves
from results.testbed import Profile
from search_spaces.modality import Pattern


@pytest.mark.parametrize("modalities", [("audio", "image"), ("audio", "depth", "image", "text")])
def test_final_metrics_are_few_finite_and_legal(
    build_samples: Callable[..., Samples], build_record: Callable[..., TrialRecord], modalities: tuple[str, ...]
) -> None:
    samples = build_samples(modalities)
    metrics = final_metrics(build_record(samples), samples)
    assert len(metrics) <= MOST_METRICS
    assert all(re.fullmatch(r"[\w\-.:/ ]+", name) and math.isfinite(value) for name, value in metrics.items())
    assert {"all/macro_f1", "only_image/accuracy", "weakness/audio", "seconds/total"} <= metrics.keys()


def test_final_metrics_of_two_modalities(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    record = build_record(samples)
    metrics = final_metrics(record, samples)
    assert {"head/all/macro_f1", "val/all/macro_f1"} <= metrics.keys()
    profile = Profile.of(record, samples)
    assert metrics["only_audio/micro_f1"] == profile.score(Pattern(["audio"]), "micro_f1")
    assert metrics["weakness/audio"] == pytest.approx(0.5 / 0.75)


def test_curves_run_from_the_full_to_the_left_pattern(
    samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    record = build_record(samples)
    curves = p_test_curves(record, samples, seeds=range(5))
    assert set(curves) == {f"p_test/missing_{name}/macro_f1" for name in ("audio", "image", "all")}
    profile = Profile.of(record, samples)
    points = curves["p_test/missing_audio/macro_f1"]
    assert [percent for percent, _ in points] == list(range(0, 101, 10))
    assert points[0][1] == pytest.approx(profile.score(Pattern(["audio", "image"])), abs=1e-15)
    assert points[-1][1] == pytest.approx(profile.score(Pattern(["image"])), abs=1e-15)


def test_an_expert_has_no_curves(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    assert p_test_curves(build_record(samples, has=[Pattern(["image"])]), samples) == {}
