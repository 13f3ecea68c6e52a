"""Measure what every method's training costs relative to naive, next to what counting its passes predicts.

A figure is the time of a whole training, rehearsals included and validation left out, over naive's: the median over
turns in one process, each of which trains every method once. What a method requires is not part of its cost.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import torch

from search_spaces.spec import TrialSpec
from trainables.build import build_method, load_splits, open_prepared
from trainables.devices import set_up_compute
from trainables.loop import TrainingLoop
from trainables.resolve import resolve

PREDICTED: Mapping[str, Mapping[str, float]] = {
    "late": {"naive": 1, "unimodal": 1, "dropout": 1, "mtl": 1, "gblend": 3, "ogm_ge": 1.02, "umt": 1.35},
    "early": {"naive": 1, "unimodal": 1, "dropout": 1, "mtl": 2, "gblend": 5, "ogm_ge": 1.02, "umt": 2.35},
}
"""Passes per training; of `unimodal` all modalities together, of `dropout` one of its trials."""
TOLERATED = 1.1
"""The measured figure may be so much larger."""


def seconds(spec: TrialSpec, cache: Path, gpus: float) -> float:
    """Return how long a training takes, from the first step on. Teachers have random weights, which cost the same."""
    resolved, compute = resolve(spec), set_up_compute(1, gpus)
    splits = load_splits(open_prepared(resolved, str(cache)), resolved, compute)
    method = build_method(resolved, compute)
    teachers = {name: build_method(resolve(needed), compute) for name, needed in resolved.requirements().items()}
    method.receive({name: teacher.state_dict() for name, teacher in teachers.items()})
    loop = TrainingLoop(method, splits["train"], splits["val"], resolved.reports[0], compute)
    began = _now(gpus)
    for _ in loop.rehearsals.epochs():
        pass
    for epoch in range(1, spec.epochs + 1):
        loop.method.begin_epoch(epoch)
        loop.training.train_epoch(epoch)
    return _now(gpus) - began


def _now(gpus: float) -> float:
    """Return seconds of this process's own processor time, which others hardly change, or of the clock with a GPU."""
    if not gpus:
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def cost(naive: TrialSpec, method: str, cache: Path, gpus: float) -> float:
    """Return the seconds of a method's trials on the data of `naive`."""
    modalities = resolve(naive).info.modalities
    choices: Mapping[str, list[dict[str, Any]]] = {
        "unimodal": [{"modality": name} for name in modalities],
        "dropout": [{"modality": modalities[0]}],
    }
    trials = [naive.replace(method=method, method_params=params) for params in choices.get(method, [{}])]
    return sum(seconds(trial, cache, gpus) for trial in trials)


def measure(naive: TrialSpec, turns: int, gpus: float) -> dict[str, dict[str, float]]:
    """Return per method its seconds, its ratio to naive and what is predicted of it."""
    methods = PREDICTED[naive.fusion]
    with tempfile.TemporaryDirectory() as folder:
        seconds(naive.replace(epochs=1), Path(folder), gpus)  # prepares the data and warms up
        taken = [{name: cost(naive, name, Path(folder), gpus) for name in methods} for _ in range(turns)]
    return {
        name: {
            "seconds": median(turn[name] for turn in taken),
            "ratio": median(turn[name] / turn["naive"] for turn in taken),
            "predicted": predicted,
        }
        for name, predicted in methods.items()
    }


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fusion", action="append", choices=PREDICTED, help="late, early; both unless given")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--encoder", action="append", default=[], metavar="MODALITY=NAME")
    parser.add_argument("--gpus", type=float, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    encoders = dict(item.split("=", 1) for item in options.encoder)
    naive = TrialSpec(
        dataset="av_digits", method="naive", epochs=options.epochs, batch_size=options.batch_size, encoders=encoders
    )
    found = {
        fusion: measure(naive.replace(fusion=fusion), options.turns, options.gpus)
        for fusion in options.fusion or list(PREDICTED)
    }
    if options.json:
        print(json.dumps({"processors": os.cpu_count(), **found}))
        return
    for fusion, methods in found.items():
        print(f"{fusion} fusion, {options.epochs} epochs, {options.turns} turns")
        for name, figures in methods.items():
            within = "" if figures["ratio"] <= TOLERATED * figures["predicted"] else "   above what is tolerated"
            row = f"{figures['seconds']:8.2f} s {figures['ratio']:6.2f} x   predicted {figures['predicted']:4.2f} x"
            print(f"{name:10} {row}{within}")


if __name__ == "__main__":
    main()
