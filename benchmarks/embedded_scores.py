"""Compare the data sets that ship with the program with the scores that their recipes' authors measured.

The recipes leave open how samples are drawn: pairing and noise of AVDigits, the splits of GlyphNames. So our trials are
repeated over draws, each with a seed of its own, and a figure of the authors, a mean over a few seeds, is compared with
the interval in which 95 % of such means lie if their draws are like ours: m +- t s sqrt(1 / draws + 1 / their seeds).
It takes for granted that each of their seeds had a draw of its own; if they had one draw, it is too narrow.

Their probe is a logistic regression on the frozen encoder, whose regularisation they do not state. Ours is MMPT's;
theirs is fitted here to the same features, ten times as strongly regularised as scikit-learn's default: their figures
of images, which depend on no draw, fit that better than the default (docs/decisions/0002-av-digits.md).
"""

import argparse
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import stats
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from orchestrator.sweep import Sweep
from results.schema import LogitsKey
from results.store import Store
from search_spaces.spec import TrialSpec
from trainables.build import build_method, load_splits, open_prepared
from trainables.devices import Compute
from trainables.evaluate import features_of
from trainables.kept_model import unpack_model
from trainables.resolve import resolve

TRAINING: Mapping[str, Any] = {"schedule": "constant", "warmup": 0.0, "clip_norm": 0.0, "patience": 0}
AVERAGE = "average of experts"
OUR_PROBE, THEIR_PROBE = "; our probe", "; their probe"
INVERSE_REGULARISATION, MOST_STEPS = 0.1, 3000


@dataclass(frozen=True)
class Setting:
    """A configuration that the authors measured.

    Attributes:
        base: what its trials share.
        draw: name of the data set's seed.
        seeds: of the authors.
        experts: modality -> (accuracy, accuracy of a logistic regression on its features) in percent.
        joint: method, or `AVERAGE` -> accuracy.
        probes: (method, modality) -> accuracy of a logistic regression on the jointly trained encoder's features.
    """

    base: Mapping[str, Any]
    draw: str
    seeds: int
    experts: Mapping[str, tuple[float, float]]
    joint: Mapping[str, float]
    probes: Mapping[tuple[str, str], float]


AV_DIGITS = {"dataset": "av_digits", "epochs": 20, "learning_rate": 1e-3}
GLYPH_NAMES = {"dataset": "glyph_names", "epochs": 25, "learning_rate": 2e-3}
SETTINGS = {
    "av_digits": Setting(
        AV_DIGITS,
        "pairing_seed",
        5,
        {"audio": (83.0, 83.5), "image": (52.2, 58.7)},
        {"naive": 91.4, AVERAGE: 89.5},
        {("naive", "audio"): 78.3, ("naive", "image"): 57.6},
    ),
    "av_digits, multi-task": Setting(
        AV_DIGITS,
        "pairing_seed",
        3,
        {},
        {"mtl": 92.2},
        {("mtl", "audio"): 83.7, ("mtl", "image"): 58.0},
    ),
    "av_digits, competition": Setting(
        {**AV_DIGITS, "dataset_params": {"components": 3}},
        "pairing_seed",
        3,
        {"audio": (83.0, 83.3), "image": (69.5, 74.1)},
        {"naive": 87.1, AVERAGE: 92.8},
        {("naive", "audio"): 72.2, ("naive", "image"): 74.2},
    ),
    "glyph_names": Setting(
        GLYPH_NAMES,
        "split_seed",
        3,
        {"text": (71.4, 71.9), "image": (60.2, 60.8)},
        {"naive": 76.2, "mtl": 79.7, AVERAGE: 74.7},
        {("naive", "text"): 68.1, ("naive", "image"): 56.6, ("mtl", "text"): 71.8, ("mtl", "image"): 60.0},
    ),
}


def trials(setting: Setting, draw: int) -> dict[str, TrialSpec]:
    """Return method, or modality for an expert -> trial of one draw."""
    base = TrialSpec(**TRAINING, **setting.base, method="naive", seed=draw)
    base = base.replace(dataset_params={**base.dataset_params, setting.draw: draw})
    methods = {*setting.joint, *(method for method, _ in setting.probes)} - {AVERAGE}
    experts = {name: base.replace(method="unimodal", method_params={"modality": name}) for name in setting.experts}
    halves = {f"weight_{name}": 0.5 for _, name in setting.probes}
    return experts | {
        name: base.replace(method=name, method_params=halves if name == "mtl" else {}) for name in methods
    }


def scored(store: Store, cache: str, setting: Setting, specs: Mapping[str, TrialSpec]) -> dict[str, float]:
    """Return what of one draw -> test accuracy in percent."""
    records = {name: store.read_trial(resolve(spec).trial_id) for name, spec in specs.items()}
    fingerprint = next(iter(records.values())).facts["fingerprint"]
    targets = store.read_samples(fingerprint).split("test")[1]
    every = "-".join(sorted({name for _, name in setting.probes}))

    def accuracy(logits: npt.NDArray[Any]) -> float:
        return float(100 * np.mean(logits.argmax(axis=1) == targets))

    def logits(trial: str, route: str, pattern: str) -> npt.NDArray[Any]:
        return records[trial].logits[LogitsKey(route, pattern, "test")]

    found = {}
    for modality in setting.experts:
        found[f"{modality} expert"] = accuracy(logits(modality, "head", modality))
    for method in setting.joint:
        if method == AVERAGE:
            chances = [softmax(logits(name, "head", name), axis=1) for name in setting.experts]
            found[method] = accuracy(np.mean(chances, axis=0))
        else:
            found[method] = accuracy(logits(method, "head", every))
    for trial, modality, name in probed(setting):
        found[f"{name}{OUR_PROBE}"] = accuracy(logits(trial, "probe", modality))
        found[f"{name}{THEIR_PROBE}"] = 100 * regressed(store, cache, specs[trial])[modality]
    return found


def regressed(store: Store, cache: str, spec: TrialSpec) -> dict[str, float]:
    """Return modality -> test accuracy of a logistic regression on a trained trial's frozen features."""
    compute, resolved = Compute(torch.device("cpu"), bfloat16=False), resolve(spec)
    splits = load_splits(open_prepared(resolved, cache), resolved, compute)
    method = build_method(resolved, compute)
    kept = store.read_model(resolved.trial_id)
    assert kept is not None
    method.load_state_dict(unpack_model(kept).weights)
    features = features_of(method, splits, resolved.used, compute)
    found = {}
    for pattern in features["train"]:
        if len(pattern) == 1:
            (modality,) = pattern
            model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=MOST_STEPS)
            z = {split: features[split][pattern][modality].numpy() for split in ("train", "test")}
            model.fit(z["train"], splits["train"].targets_host)
            found[modality] = float(model.score(z["test"], splits["test"].targets_host))
    return found


def probed(setting: Setting) -> list[tuple[str, str, str]]:
    """Return (trial, modality, name) of every encoder that the authors probed."""
    experts = [(modality, modality, f"{modality} expert") for modality in setting.experts]
    return experts + [(method, modality, f"{method}, {modality}") for method, modality in setting.probes]


def published(setting: Setting) -> dict[str, float]:
    """Return the authors' figures under the names of `scored`."""
    experts = {f"{name} expert": accuracy for name, (accuracy, _) in setting.experts.items()}
    figures = [accuracy for _, accuracy in setting.experts.values()] + list(setting.probes.values())
    names = [name for _, _, name in probed(setting)]
    both = zip(names, figures, strict=True)
    probes = {f"{name}{kind}": figure for name, figure in both for kind in (OUR_PROBE, THEIR_PROBE)}
    return {**experts, **setting.joint, **probes}


def compared(scores: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Return a row per figure of the authors: ours, theirs, and the interval for theirs."""
    draws = len(scores)
    mean, deviation = scores.mean(), scores.std(ddof=1)
    half = stats.t.ppf(0.975, draws - 1) * deviation * np.sqrt(1 / draws + 1 / setting.seeds)
    rows = pd.DataFrame({"ours": mean, "s.d.": deviation, "low": mean - half, "high": mean + half})
    rows.insert(0, "theirs", pd.Series(published(setting)))
    return rows.assign(inside=rows.theirs.between(rows.low, rows.high))


def main() -> None:
    """Train all draws of all settings, and print one table per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=12)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    planned = {name: [trials(setting, draw) for draw in range(options.draws)] for name, setting in SETTINGS.items()}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store")
        every = {spec for draws in planned.values() for specs in draws for spec in specs.values()}
        cache = f"{folder}/cache"
        sweep = Sweep(sorted(every, key=str), store=store.root, tracking="none", cache=cache, keep_models=True)
        outcome = sweep.run()
        assert not outcome.failed, outcome.failed
        for name, setting in SETTINGS.items():
            scores = pd.DataFrame([scored(store, cache, setting, specs) for specs in planned[name]])
            print(f"{name}, {options.draws} draws of ours, {setting.seeds} seeds of theirs; test accuracy in percent")
            print(compared(scores, setting).round(1).to_string(), flush=True)


if __name__ == "__main__":
    main()
