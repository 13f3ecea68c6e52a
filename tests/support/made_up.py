"""Made-up data sets, trials and stores, small and quick, for tests of everything that reads results."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from results.schema import LogitsKey, Samples, TrialRecord
from results.store import Store
from search_spaces.modality import Pattern, patterns
from search_spaces.spec import TrialSpec

SIZES = {"train": 5, "val": 40, "test": 60}


def make_samples(
    modalities: Sequence[str] = ("audio", "image"), *, multi_label: bool = False, num_classes: int = 4
) -> Samples:
    random = np.random.default_rng(len(modalities))
    rows = [(f"{split}-{number}", split, f"group-{number}") for split, size in SIZES.items() for number in range(size)]
    shape = (len(rows), num_classes) if multi_label else (len(rows),)
    targets = random.integers(0, 2 if multi_label else num_classes, shape)
    return Samples(
        fingerprint=f"data{len(modalities)}{'m' if multi_label else 's'}" + "0" * 8,
        dataset="toy",
        modalities=sorted(modalities),
        class_names=[f"class {number}" for number in range(num_classes)],
        multi_label=multi_label,
        frame=pd.DataFrame(rows, columns=["sample_id", "split", "group"]),
        targets=targets,
    )


def make_record(
    samples: Samples,
    method: str = "naive",
    *,
    seed: int = 0,
    has: Sequence[Pattern] | None = None,
    reports: Sequence[str] | None = None,
    skill: float = 1.0,
    trial_id: str | None = None,
    **axes: Any,
) -> TrialRecord:
    spec = TrialSpec(dataset=samples.dataset, method=method, seed=seed, **axes)
    trial_id = trial_id or spec.hash
    random = np.random.default_rng(int(spec.hash[:8], 16))
    num_classes = len(samples.class_names)
    own = list(has or patterns(samples.modalities))
    logits = {}
    for split in ("val", "test"):
        _, targets = samples.split(split)
        hot = targets if samples.multi_label else np.eye(num_classes)[targets]
        for route in ("probe", "head"):
            for pattern in own:
                noise = random.normal(size=hot.shape)
                strength = skill * len(pattern) / len(samples.modalities)
                logits[LogitsKey(route, pattern.key, split)] = (strength * (2 * hot - 1) + noise).astype(np.float32)
    singles = [pattern for pattern in own if len(pattern) == 1]
    facts = [(None, f"probe/{p.key}/train_loss", 0.5 + 0.25 * place, None) for place, p in enumerate(singles)]
    history = [(1, "train/task", 1.25, 10), (2, "train/task", 0.75, 10), (None, "seconds/total", 12.5, None), *facts]
    return TrialRecord(
        trial_id=trial_id,
        spec=spec,
        facts={
            "modalities": samples.modalities,
            "num_classes": num_classes,
            "multi_label": samples.multi_label,
            "fingerprint": samples.fingerprint,
            "reports": list(reports or [pattern.key for pattern in own]),
            "provenance": {"git_commit": "0123abc", "packages": {"numpy": "2.0"}},
            "titles": {"method": method.replace("_", " ").title(), "dataset": "Toy Data"},
            "device": "cpu",
        },
        logits=logits,
        sample_ids={split: samples.split(split)[0] for split in ("val", "test")},
        history=pd.DataFrame(history, columns=["epoch", "name", "value", "samples"]),
    )


def fill(store: Store, samples: Samples, num_seeds: int = 2) -> list[TrialRecord]:
    """Write naive (two configurations, three p_train), the unimodal experts, two dropout models and mtl."""
    records = []
    full = Pattern(samples.modalities).key
    for seed in range(num_seeds):
        records += [make_record(samples, "naive", seed=seed, learning_rate=rate, skill=1.2) for rate in (1e-3, 1e-4)]
        records += [make_record(samples, "naive", seed=seed, p_train={"audio": rate}, skill=0.8) for rate in (0.3, 0.6)]
        records += [make_record(samples, "mtl", seed=seed, method_params={"weight": 0.5}, skill=1.5)]
        for name in samples.modalities:
            has = [Pattern([name])]
            records.append(
                make_record(samples, "unimodal", seed=seed, has=has, method_params={"modality": name}, skill=2.0)
            )
            others = [other for other in samples.modalities if other != name]
            reports = [full, Pattern(others).key]
            records.append(make_record(samples, "dropout", seed=seed, reports=reports, method_params={"drop": name}))
    store.prepare()
    store.write_samples(samples)
    for record in records:
        store.write_trial(record)
    return records


def trial_ids_in(content: Any, *, inside: bool = False) -> Iterator[str]:
    """Return every text below a key `trial_ids`, wherever it is."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from trial_ids_in(value, inside=inside or key == "trial_ids")
    elif isinstance(content, list):
        for value in content:
            yield from trial_ids_in(value, inside=inside)
    elif inside and isinstance(content, str):
        yield content
