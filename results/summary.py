"""One trial's numbers for an experiment tracker: a few dozen final metrics and its p_test curves."""

from collections.abc import Sequence
from math import isfinite

from results.curves import families
from results.metrics import METRICS
from results.pattern_shares import possible_patterns
from results.schema import Samples, TrialRecord
from results.testbed import SEEDS, Profile
from results.weakness import probe_train_losses, weakness_scores
from search_spaces.missing_rates import TENTHS
from search_spaces.modality import Pattern, pattern_label

__all__ = ["MOST_METRICS", "final_metrics", "p_test_curves"]

MOST_METRICS = 60
_CURVE_METRIC = "macro_f1"


def final_metrics(record: TrialRecord, samples: Samples) -> dict[str, float]:
    """Return finite numbers under names that MLflow accepts, at most `MOST_METRICS`, the important ones first.

    Names: `all/macro_f1`, `only_image/macro_f1` (test split, probes), `val/...` (validation), `head/...` (test, the
    method's own prediction), `weakness/<modality>`, and the whole-trial facts of the history, such as `seconds/total`.
    With many modalities the full pattern and the single modalities come before the patterns in between.
    """
    found: dict[str, float] = {}
    found |= _scores(record, samples, "test", "probe", "")
    found |= {
        f"weakness/{name}": weakness.score for name, weakness in weakness_scores(probe_train_losses(record)).items()
    }
    whole = record.history[record.history["epoch"].isna()]
    facts = dict(zip(whole["name"], whole["value"], strict=True))
    found |= {name: float(value) for name, value in facts.items() if not name.startswith("probe/")}
    found |= _scores(record, samples, "val", "probe", "val/")
    found |= _scores(record, samples, "test", "head", "head/")
    finite = [(name, value) for name, value in found.items() if isfinite(value)]
    return dict(finite[:MOST_METRICS])


def p_test_curves(
    record: TrialRecord, samples: Samples, seeds: Sequence[int] = SEEDS
) -> dict[str, list[tuple[int, float]]]:
    """Return macro F1 against the test-time missing rate, as (percent, mean over seeds) at 0, 10, ..., 100.

    Names: `p_test/missing_<modality>/macro_f1`, and `p_test/missing_all/macro_f1` for all modalities at one rate. A
    curve is left out if the trial has no probe logits for a pattern that it needs.
    """
    profile = Profile.of(record, samples)
    curves = {}
    for family, rates in families(profile.modalities).items():
        if all(profile.parts.keys() >= set(possible_patterns(profile.modalities, rate)) for rate in rates):
            means = profile.simulate(rates, seeds, _CURVE_METRIC).mean(axis=1)
            points = [(round(100 * rate), float(mean)) for rate, mean in zip(TENTHS, means, strict=True)]
            curves[f"p_test/missing_{family}/{_CURVE_METRIC}"] = points
    return curves


def _scores(record: TrialRecord, samples: Samples, split: str, route: str, prefix: str) -> dict[str, float]:
    profile = Profile.of(record, samples, split=split, route=route)
    total = len(profile.modalities)

    def importance(pattern: Pattern) -> tuple[bool, Pattern]:
        return len(pattern) not in (1, total), pattern

    return {
        f"{prefix}{pattern_label(pattern, profile.modalities)}/{metric}": profile.score(pattern, metric)
        for pattern in sorted(profile.parts, key=importance)
        for metric in METRICS
    }
