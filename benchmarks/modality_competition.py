"""Modality competition on data with a known answer: what joint training does to the weak encoder, and who repairs it.

PIDSynth's two modalities tell the same; in the weak one a random sign hides it from linear maps: it is learned later.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.sweep import Sweep
from results.counts import contributions
from results.resampling import Resampled, resample
from results.schema import LogitsKey
from results.store import Store
from results.weakness import probe_train_losses, weakness_scores
from search_spaces.spec import TrialSpec
from trainables.catalogs import METHODS
from trainables.resolve import resolve

MODALITIES = ("a", "b")
DATA = {"shared": 8, "a": 1, "b": 1, "amplitude_a": 1.0, "amplitude_b": 1.0}
TRAINING: Mapping[str, Any] = {
    "dataset": "pid_synth",
    "epochs": 20,
    "schedule": "constant",
    "warmup": 0.0,
    "clip_norm": 0.0,
    "patience": 0,
}
METHOD_NAMES = tuple(name for name in ("naive", "ogm_ge", "gblend", "mtl", "umt") if name in METHODS)
EXPERT = "expert"


def specs(weak: str, seeds: int) -> dict[str, list[TrialSpec]]:
    """Return name -> one trial per seed: the weak modality's expert, and every method by its defaults."""
    base = TrialSpec(**TRAINING, method="naive", dataset_params={**DATA, "hidden": weak})
    expert = base.replace(method="unimodal", method_params={"modality": weak})
    kinds = {EXPERT: expert, **{name: base.replace(method=name) for name in METHOD_NAMES}}
    return {name: [spec.replace(seed=seed) for seed in range(seeds)] for name, spec in kinds.items()}


def scored(store: Store, trials: list[TrialSpec], pattern: str) -> Resampled:
    """Return macro F1 of a pattern's probes on the test samples, per seed."""
    resolved = [resolve(spec) for spec in trials]
    targets = store.read_samples(resolved[0].fingerprint).split("test")[1]
    key = LogitsKey("probe", pattern, "test")
    return resample([contributions(store.read_trial(r.trial_id).logits[key], targets) for r in resolved], targets)


def measure(weak: str, seeds: int, folder: Path) -> dict[str, Any]:
    """Train everything for one order of strength and compare.

    Raises:
        AssertionError: a trial failed.
    """
    kinds = specs(weak, seeds)
    store = Store(str(folder / "store"))
    trials = [spec for group in kinds.values() for spec in group]
    outcome = Sweep(trials, store=store.root, tracking="none", cache=folder / "cache").run(inline=True)
    assert not outcome.failed, outcome.failed
    strong = next(name for name in MODALITIES if name != weak)
    scores = {name: scored(store, group, weak) for name, group in kinds.items()}
    gap = (scores[EXPERT] - scores["naive"]).estimate().value
    naive = [weakness_scores(probe_train_losses(store.read_trial(resolve(s).trial_id))) for s in kinds["naive"]]
    return {
        "weak": weak,
        "probe_of_weak": {name: _with_interval(score) for name, score in scores.items()},
        "less_expert": {n: _with_interval(scores[n] - scores[EXPERT]) for n in METHOD_NAMES},
        "recovered": {n: (scores[n] - scores["naive"]).estimate().value / gap for n in METHOD_NAMES},
        "probe_of_both": {n: _with_interval(scored(store, kinds[n], "a-b")) for n in METHOD_NAMES},
        "weakness_of_weak": _over_seeds([found[weak].score for found in naive]),
        "weakness_of_strong": _over_seeds([found[strong].score for found in naive]),
    }


def _with_interval(score: Resampled) -> list[float]:
    """Return mean over seeds, and the ends of its 95 % interval over test samples and seeds."""
    estimate = score.estimate()
    interval = estimate.interval()
    return [estimate.value, interval.low, interval.high]


def _over_seeds(values: list[float]) -> list[float]:
    return [float(np.mean(values)), min(values), max(values)]


def main() -> None:
    """Measure both orders of strength and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure(weak, options.seeds, Path(folder) / weak) for weak in MODALITIES]
    if options.json:
        print(json.dumps(measured))
        return
    for found in measured:
        print(f"weak modality {found['weak']}, {options.seeds} seeds; macro F1 of its probe, 95 % interval")
        for name, values in found["probe_of_weak"].items():
            line = f"  {name:8} {_text(values)}"
            if name != EXPERT:
                line += f"; less expert {_text(found['less_expert'][name])}; gap closed {found['recovered'][name]:4.0%}"
                line += f"; both {_text(found['probe_of_both'][name])}"
            print(line)
        low_high = "weakness {}, mean (lowest to highest seed): {:.2f} ({:.2f} to {:.2f})"
        print("  " + low_high.format("of the weak", *found["weakness_of_weak"]))
        print("  " + low_high.format("of the strong", *found["weakness_of_strong"]))


def _text(values: list[float]) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(*values)


if __name__ == "__main__":
    main()
