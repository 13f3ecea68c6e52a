"""A store of made-up trials of two methods, quick to write, with every kind of number that MLflow shows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from results.schema import HistoryRow, LogitsKey, Samples, TrialRecord
from results.store import Store
from search_spaces.missing_rates import MissingRates
from search_spaces.spec import TrialSpec

MODALITIES = ["audio", "image"]
METHODS = ("mtl", "naive")
FINGERPRINT = "5" * 16
_PATTERNS = ("audio-image", "audio", "image")
_CLASSES = 4


def fill(
    root: str, *, seeds: int = 2, samples_per_split: int = 60, epochs: int = 8, rates: Sequence[float] = (1e-3,)
) -> list[str]:
    """Write `seeds` trials of each method and learning rate into a store; return their ids."""
    store = Store(root)
    store.prepare()
    samples = _samples(samples_per_split)
    store.write_samples(samples)
    records = [
        _record(samples, method, seed, epochs, rate) for method in METHODS for seed in range(seeds) for rate in rates
    ]
    for record in records:
        store.write_trial(record)
    return [record.trial_id for record in records]


def _samples(count: int) -> Samples:
    ids = [f"{split}{number}" for split in ("val", "test") for number in range(count)]
    splits = [split for split in ("val", "test") for _ in range(count)]
    frame = pd.DataFrame({"sample_id": ids, "split": splits, "group": [""] * len(ids)})
    return Samples(
        fingerprint=FINGERPRINT,
        dataset="made_up",
        modalities=MODALITIES,
        class_names=[f"class {number}" for number in range(_CLASSES)],
        multi_label=False,
        frame=frame,
        targets=np.arange(len(ids)) % _CLASSES,
    )


def _record(samples: Samples, method: str, seed: int, epochs: int, rate: float) -> TrialRecord:
    random = np.random.default_rng([METHODS.index(method), seed])
    how = {"method": method, "seed": seed, "epochs": epochs, "learning_rate": rate}
    spec = TrialSpec(dataset="made_up", p_train=MissingRates({"audio": 0.3}), **how)
    logits = {}
    for split in ("val", "test"):
        ids, targets = samples.split(split)
        for strength, pattern in zip((3.0, 1.0, 2.0), _PATTERNS, strict=True):
            noise = random.normal(size=(len(ids), _CLASSES))
            right = np.eye(_CLASSES)[targets] * strength
            logits[LogitsKey("probe", pattern, split)] = (noise + right).astype(np.float32)
    rows = [
        HistoryRow(epoch, name, float(random.random() / epoch), 10)
        for epoch in range(1, epochs + 1)
        for name in ("train/loss", "learning_rate", *(f"val/{key}/macro_f1" for key in ("all", "audio", "image")))
    ]
    rows.append(HistoryRow(None, "seconds/total", 3.0))
    return TrialRecord(
        trial_id=spec.hash,
        spec=spec,
        facts={
            "modalities": MODALITIES,
            "num_classes": _CLASSES,
            "multi_label": False,
            "fingerprint": FINGERPRINT,
            "reports": list(_PATTERNS),
            "provenance": {"git_commit": "0" * 40, "packages": {"mmpt-sweep": "0.1.0"}},
            "device": "cpu",
        },
        logits=logits,
        sample_ids={split: samples.split(split)[0] for split in ("val", "test")},
        history=pd.DataFrame(rows, columns=HistoryRow._fields),
    )
