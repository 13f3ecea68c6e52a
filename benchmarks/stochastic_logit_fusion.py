"""Measure stochastic logit fusion against the loop over scikit-learn's f1_score that it replaces."""

import argparse
import json
import os
import time
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from results.counts import contributions
from results.draws import uniform_draws
from results.mixtures import mix_logits
from results.testbed import Profile
from search_spaces.missing_rates import MissingRates, one_modality
from search_spaces.modality import patterns

NUM_SEEDS = 100
MODALITIES = ("image", "text")
CHECKED_CELLS = 24
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """What is computed: for each of some trials, scores at several test-time missing rates and 100 seeds."""

    title: str
    num_trials: int
    num_samples: int
    num_classes: int
    multi_label: bool
    rates: tuple[MissingRates, ...]


CASES = {
    "curves": Case(
        "p_test curves of one trial on a test split like MM-IMDB's",
        num_trials=1,
        num_samples=7799,
        num_classes=23,
        multi_label=True,
        rates=tuple(rate for modality in MODALITIES for rate in one_modality(modality)),
    ),
    "surface": Case(
        "11 x 11 surface (p_train x p_test), a test split like UPMC Food-101's",
        num_trials=11,
        num_samples=10_000,
        num_classes=101,
        multi_label=False,
        rates=tuple(one_modality("text")),
    ),
}


def measure(case: Case) -> dict[str, Any]:
    """Return seconds of both and their ratio, after checking that they agree.

    Raises:
        AssertionError: a checked cell differs by more than 1e-9.
    """
    random = np.random.default_rng(0)
    targets, hot = _targets(case, random)
    trials = [
        {one: (2.0 * hot - 1.0 + random.standard_normal(hot.shape)).astype(np.float32) for one in patterns(MODALITIES)}
        for _ in range(case.num_trials)
    ]
    ids = tuple(f"sample-{number}" for number in range(case.num_samples))

    start = time.perf_counter()
    fast = []
    for logits in trials:
        parts = {pattern: contributions(values, targets) for pattern, values in logits.items()}
        profile = Profile(modalities=MODALITIES, sample_ids=ids, targets=targets, parts=parts)
        fast.append(profile.simulate(case.rates, range(NUM_SEEDS)))
    seconds = time.perf_counter() - start

    cells = list(product(range(case.num_trials), range(len(case.rates)), range(NUM_SEEDS)))
    chosen = [cells[place] for place in random.choice(len(cells), CHECKED_CELLS, replace=False)]
    draws = {
        seed: {name: uniform_draws(ids, name, [seed], "test")[0] for name in MODALITIES}
        for seed in {seed for _, _, seed in chosen}
    }
    start = time.perf_counter()
    slow = []
    for trial, row, seed in chosen:
        mixed = mix_logits(trials[trial], draws[seed], case.rates[row])
        predicted = mixed > 0 if case.multi_label else mixed.argmax(axis=1)
        slow.append(f1_score(targets, predicted, average="macro", zero_division=0))
    loop_seconds = (time.perf_counter() - start) / CHECKED_CELLS * len(cells)
    largest = max(abs(fast[trial][row, seed] - value) for (trial, row, seed), value in zip(chosen, slow, strict=True))
    assert largest <= TOLERANCE, f"a cell differs by {largest}"
    return {
        "title": case.title,
        "cells": len(cells),
        "samples": case.num_samples,
        "classes": case.num_classes,
        "checked_cells": CHECKED_CELLS,
        "largest_difference": largest,
        "seconds": seconds,
        "loop_seconds_extrapolated": loop_seconds,
        "ratio": loop_seconds / seconds,
        "processors": os.cpu_count() or 1,
    }


def _targets(case: Case, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and their (N, C) zeros and ones."""
    if case.multi_label:
        rare = (random.random((case.num_samples, case.num_classes)) < 0.1).astype(np.int64)  # noqa: PLR2004
        return rare, rare
    targets = random.integers(0, case.num_classes, case.num_samples)
    return targets, np.eye(case.num_classes, dtype=np.int64)[targets]


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    everything = {name: measure(case) for name, case in CASES.items()}
    if parser.parse_args().json:
        print(json.dumps(everything))
        return
    for found in everything.values():
        print(f"{found['title']}: {found['cells']} cells of {found['samples']} samples x {found['classes']} classes")
        print(f"this package             {found['seconds']:8.3f} s")
        print(f"loop over f1_score       {found['loop_seconds_extrapolated']:8.1f} s")
        print(f"(extrapolated from {found['checked_cells']} cells, which agree to {found['largest_difference']:.0e})")
        print(f"ratio                    {found['ratio']:8.0f} x")


if __name__ == "__main__":
    main()
