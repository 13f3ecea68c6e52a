"""Measure stochastic logit fusion against the loop over scikit-learn's f1_score that it replaces."""

import argparse
import json
import os
import time
from itertools import product

import numpy as np
from sklearn.metrics import f1_score

from results.draws import uniform_draws
from results.metrics import contributions
from results.testbed import Profile, mix_logits
from search_spaces.missing_rates import one_modality
from search_spaces.modality import patterns

NUM_SAMPLES, NUM_CLASSES, NUM_SEEDS = 7799, 23, 100  # the size of MM-IMDB's test split
MODALITIES = ("image", "text")
CHECKED_CELLS = 24
TOLERANCE = 1e-9


def measure() -> dict[str, float]:
    """Return seconds of both and their ratio, after checking that they agree.

    Raises:
        AssertionError: a checked cell differs by more than 1e-9.
    """
    random = np.random.default_rng(0)
    targets = (random.random((NUM_SAMPLES, NUM_CLASSES)) < 0.1).astype(np.int64)  # noqa: PLR2004 (rare classes)
    logits = {pattern: random.normal(2.0 * targets - 1.0, 1.0).astype(np.float32) for pattern in patterns(MODALITIES)}
    ids = tuple(f"sample-{number}" for number in range(NUM_SAMPLES))
    rates = [rate for modality in MODALITIES for rate in one_modality(modality)]

    start = time.perf_counter()
    parts = {pattern: contributions(values, targets) for pattern, values in logits.items()}
    profile = Profile(modalities=MODALITIES, sample_ids=ids, targets=targets, parts=parts)
    fast = profile.simulate(rates, range(NUM_SEEDS))
    seconds = time.perf_counter() - start

    cells = list(product(range(len(rates)), range(NUM_SEEDS)))
    chosen = [cells[place] for place in random.choice(len(cells), CHECKED_CELLS, replace=False)]
    draws = {
        seed: {name: uniform_draws(ids, name, [seed], "test")[0] for name in MODALITIES} for seed in range(NUM_SEEDS)
    }
    start = time.perf_counter()
    slow = [
        f1_score(targets, mix_logits(logits, draws[seed], rates[row]) > 0, average="macro", zero_division=0)
        for row, seed in chosen
    ]
    loop_seconds = (time.perf_counter() - start) / CHECKED_CELLS * len(cells)
    largest = max(abs(fast[row, seed] - value) for (row, seed), value in zip(chosen, slow, strict=True))
    assert largest <= TOLERANCE, f"a cell differs by {largest}"
    return {
        "cells": len(cells),
        "checked_cells": CHECKED_CELLS,
        "largest_difference": largest,
        "seconds": seconds,
        "loop_seconds_extrapolated": loop_seconds,
        "ratio": loop_seconds / seconds,
        "processors": os.cpu_count() or 1,
    }


def main() -> None:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    found = measure()
    if parser.parse_args().json:
        print(json.dumps(found))
        return
    print(f"{found['cells']} cells (rates x seeds) of {NUM_SAMPLES} samples x {NUM_CLASSES} classes")
    print(f"this package             {found['seconds']:8.3f} s")
    print(f"loop over f1_score       {found['loop_seconds_extrapolated']:8.1f} s")
    print(f"(extrapolated from {found['checked_cells']} cells, which agree to {found['largest_difference']:.0e})")
    print(f"ratio                    {found['ratio']:8.0f} x")


if __name__ == "__main__":
    main()
