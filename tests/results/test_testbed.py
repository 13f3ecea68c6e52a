"""Stochastic logit fusion: golden numbers, exact end points, and the slow way as reference."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from results.counts import contributions
from results.draws import uniform_draws
from results.metrics import METRICS
from results.mixtures import mix_logits
from results.pattern_shares import possible_patterns
from results.schema import Samples, TrialRecord
from results.testbed import MissingLogitsError, Profile
from search_spaces.errors import MmptError, UnknownNameError
from search_spaces.missing_rates import MissingRates, one_modality, shared_rates
from search_spaces.modality import Pattern, patterns

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "mmpt_stochastic_logit_fusion.json").read_text())
BOTH, TEXT = Pattern(["image", "text"]), Pattern(["text"])


def golden_profile() -> tuple[Profile, dict[Pattern, Any], dict[str, Any]]:
    labels = np.array(GOLDEN["labels"])
    logits = {BOTH: np.array(GOLDEN["logits_both"]), TEXT: np.array(GOLDEN["logits_unimodal"])}
    draws = {"image": np.array([GOLDEN["uniform_draws"]]), "text": np.ones((1, len(labels)))}
    parts = {pattern: contributions(values, labels) for pattern, values in logits.items()}
    ids = tuple(map(str, range(len(labels))))
    return Profile(modalities=("image", "text"), sample_ids=ids, targets=labels, parts=parts), logits, draws


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"p={case['p']}")
def test_golden_fusion(case: dict[str, Any]) -> None:
    profile, logits, draws = golden_profile()
    rates = MissingRates({"image": case["p"]})
    for metric in ("macro_f1", "accuracy"):
        assert profile.simulate_with(draws, rates, metric) == pytest.approx([case[metric]], rel=1e-9)
    fused = mix_logits(logits, {name: values[0] for name, values in draws.items()}, rates)
    np.testing.assert_allclose(fused, case["fused_logits"], rtol=1e-9)


@pytest.mark.parametrize("case", GOLDEN["expectation"], ids=lambda case: f"p={case['p']}")
def test_accuracy_is_linear_in_the_rate(case: dict[str, Any]) -> None:
    profile, _, _ = golden_profile()
    simulated = profile.simulate([MissingRates({"image": case["p"]})], range(4000), "accuracy").mean()
    assert simulated == pytest.approx(case["expected_accuracy"], abs=0.01)


@pytest.mark.parametrize("modalities", [("audio", "image"), ("audio", "image", "text")])
@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_end_points_are_exactly_the_columns(
    build_samples: Callable[..., Samples],
    build_record: Callable[..., TrialRecord],
    modalities: tuple[str, ...],
    multi_label: bool,
    metric: str,
) -> None:
    samples = build_samples(modalities, multi_label=multi_label)
    profile = Profile.of(build_record(samples), samples)
    for name in modalities:
        ends = profile.simulate(one_modality(name, (0, 1)), range(7), metric)
        left = Pattern([other for other in modalities if other != name])
        assert set(ends[0]) == {profile.score(Pattern(modalities), metric)}
        assert set(ends[1]) == {profile.score(left, metric)}


def test_three_modalities_equal_the_slow_way(
    build_samples: Callable[..., Samples], build_record: Callable[..., TrialRecord]
) -> None:
    samples = build_samples(("audio", "image", "text"))
    record = build_record(samples)
    rates = [MissingRates({"audio": 0.3, "text": 0.8}), MissingRates.shared(0.7), MissingRates.shared(1)]
    fast = Profile.of(record, samples).simulate(rates, range(5))
    ids, targets = samples.split("test")
    logits = {
        p: next(v for k, v in record.logits.items() if (k.route, k.pattern, k.split) == ("probe", p.key, "test"))
        for p in patterns(samples.modalities)
    }
    for row, rate in enumerate(rates):
        for seed in range(5):
            draws = {name: uniform_draws(ids, name, [seed], "test")[0] for name in samples.modalities}
            predicted = mix_logits(logits, draws, rate.resolve(samples.modalities)).argmax(axis=1)
            slow = f1_score(targets, predicted, average="macro", labels=range(4), zero_division=0)
            assert fast[row, seed] == pytest.approx(slow, abs=1e-12)


def test_chunks_change_nothing(
    samples: Samples, build_record: Callable[..., TrialRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile.of(build_record(samples), samples)
    whole = profile.simulate(shared_rates([0.2, 0.5]), range(10))
    monkeypatch.setattr("results.testbed._CHUNK_DRAWS", 180)
    np.testing.assert_array_equal(profile.simulate(shared_rates([0.2, 0.5]), range(10)), whole)


def test_a_missing_pattern_is_named(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    expert = Profile.of(build_record(samples, has=[Pattern(["image"])]), samples)
    with pytest.raises(MissingLogitsError, match=r"no logits for the pattern audio-image; stored: image"):
        expert.simulate(one_modality("audio", (0.5,)))
    assert expert.simulate(one_modality("audio", (1.0,)), [0])[0, 0] == expert.score(Pattern(["image"]))


def test_unknown_modality_and_metric_are_refused(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    profile = Profile.of(build_record(samples), samples)
    with pytest.raises(UnknownNameError, match="unknown modality 'smell'"):
        profile.simulate([MissingRates({"smell": 0.5})])
    with pytest.raises(UnknownNameError, match="unknown metric"):
        profile.simulate([MissingRates()], metric="f2")


def test_rows_are_matched_by_sample_id(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    record = build_record(samples)
    order = np.random.default_rng(0).permutation(len(record.sample_ids["test"]))
    shuffled = {key: values[order] if key.split == "test" else values for key, values in record.logits.items()}
    ids = {**record.sample_ids, "test": [record.sample_ids["test"][place] for place in order]}
    moved = type(record)(**{**vars(record), "logits": shuffled, "sample_ids": ids})
    rates = shared_rates([0.0, 0.4])
    np.testing.assert_array_equal(
        Profile.of(moved, samples).simulate(rates), Profile.of(record, samples).simulate(rates)
    )


def test_foreign_samples_are_refused(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    record = build_record(samples)
    record.sample_ids["test"][0] = "stranger"
    with pytest.raises(MmptError, match="test samples are not those of"):
        Profile.of(record, samples)


def test_a_profile_put_together_serves_each_pattern_from_its_source(
    samples: Samples, build_record: Callable[..., TrialRecord]
) -> None:
    naive, expert = (Profile.of(build_record(samples, method), samples) for method in ("naive", "mtl"))
    both, image = Pattern(["audio", "image"]), Pattern(["image"])
    joined = Profile.put_together({both: naive, image: expert})
    assert joined.score(both) == naive.score(both)
    assert joined.score(image) == expert.score(image)


def test_possible_patterns_cover_what_is_drawn() -> None:
    for rates in (MissingRates({"a": 0.5, "b": 1.0}), MissingRates({"a": 1.0, "b": 1.0}), MissingRates()):
        assert possible_patterns(["a", "b"], rates)
    assert {p.key for p in possible_patterns(["a", "b"], MissingRates({"a": 0.5, "b": 1.0}))} == {"a", "b"}
