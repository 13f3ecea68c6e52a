"""Measure tables of a compacted store of 100,000 trials against reading every trial's logits and scoring them."""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import f1_score

from results.data import load
from results.metrics import METRICS
from results.options import Options
from results.part_files import COMPACTED, PART_DONE, PART_HISTORY_SCHEMA, PART_SCORES_SCHEMA, PART_TRIALS_SCHEMA
from results.part_writer import PartWriter
from results.schema import ROUTES, SCHEMA_VERSION, Samples
from results.selection import select
from results.store import Store
from results.tables import TABLES
from results.trial_rows import trial_row
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import patterns
from search_spaces.spec import TrialSpec

DATASETS, FUSIONS = tuple(f"data_{letter}" for letter in "abcdef"), ("late", "early")
METHODS = ("naive", "mtl", "dropout", "umt", "ogm_ge", "agm", "pmr", "mla")
RATES = (MissingRates(), MissingRates.shared(0.3))
MODALITIES, CLASSES, SAMPLES = ("audio", "image"), 4, 20
SEEDS, CONFIGURATIONS = 5, 105  # of each place in a table: 6 x 2 x 8 x 2 x 105 x 5 = 100,800 trials
TRIALS_PER_PART = 4000
SPLITS, KEYS = ("val", "test"), tuple(pattern.key for pattern in patterns(MODALITIES))
OF_LOGITS = ("comparison", "missing_protocol", "robustness")
"""Tables that exist only because logits are stored: p-values and missing rates between 0 and 1."""
FACTS = ("seconds/total", "memory/peak_bytes", "probe/audio/train_loss", "probe/image/train_loss")


def samples_of(dataset: str) -> Samples:
    """Return a made-up data set."""
    rows = [(f"{split}-{number}", split, f"group-{number}") for split in SPLITS for number in range(SAMPLES)]
    return Samples(
        fingerprint=f"{dataset}-0000",
        dataset=dataset,
        modalities=list(MODALITIES),
        class_names=[f"class {number}" for number in range(CLASSES)],
        multi_label=False,
        frame=pd.DataFrame(rows, columns=["sample_id", "split", "group"]),
        targets=np.arange(len(rows)) % CLASSES,
    )


def _searched(number: int) -> dict[str, float | int]:
    """Return one of the 5 x 3 x 7 configurations that are searched."""
    return {
        "learning_rate": (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)[number % 5],
        "batch_size": (16, 32, 64)[number // 5 % 3],
        "epochs": 10 + 5 * (number // 15),
    }


def trial_table(share: float) -> pa.Table:
    """Return the rows of a share of all trials without their logits' places, sorted by id."""
    rows = []
    configurations = range(max(1, round(CONFIGURATIONS * share)))
    for dataset, fusion, method, rates, number in product(DATASETS, FUSIONS, METHODS, RATES, configurations):
        spec = TrialSpec(dataset=dataset, fusion=fusion, method=method, p_train=rates, **_searched(number))
        facts = {
            "modalities": list(MODALITIES),
            "fingerprint": f"{dataset}-0000",
            "reports": list(KEYS),
            "provenance": {"git_commit": "0" * 40, "packages": {"numpy": "2.0", "torch": "2.9"}},
            "titles": {"method": method, "dataset": dataset},
        }
        row = trial_row("", spec, facts)
        for seed in range(SEEDS):
            config = {**spec.to_config(), "seed": seed}
            header = json.dumps({"schema_version": SCHEMA_VERSION, "spec": config, "facts": facts}, sort_keys=True)
            trial_id = hashlib.sha256(header.encode()).hexdigest()[:16]
            rows.append(
                {
                    **row,
                    "trial_id": trial_id,
                    "seed": seed,
                    "header": header,
                    "origin": "",
                    "logits": "",
                    "row_group": 0,
                }
            )
    return pa.Table.from_pylist(rows, schema=PART_TRIALS_SCHEMA).sort_by("trial_id")


def scores_of(ids: pa.Array, random: np.random.Generator) -> pa.Table:
    """Return made-up scores of some trials, the better the higher an unseen skill."""
    parts = [pa.array(words) for words in (SPLITS, ROUTES, KEYS, list(METRICS))]
    shape = (len(ids), *map(len, parts))
    skill = random.uniform(0.3, 0.8, (len(ids), 1, 1, 1, 1))
    places = np.indices(shape).reshape(len(shape), -1)
    columns = [words.take(pa.array(place)) for words, place in zip([ids, *parts], places, strict=True)]
    values = (skill + random.normal(0, 0.05, shape)).clip(0, 1).ravel()
    return pa.Table.from_arrays([*columns, pa.array(values)], schema=PART_SCORES_SCHEMA)


def history_of(ids: pa.Array, random: np.random.Generator) -> pa.Table:
    """Return four whole-trial facts and five epochs of each trial."""
    names = [*FACTS, *["train/task"] * 5]
    epochs = pa.array([None] * 4 + [1, 2, 3, 4, 5], pa.int32())
    owner, row = (pa.array(place) for place in np.indices((len(ids), len(names))).reshape(2, -1))
    values = pa.array(random.uniform(0.2, 2.0, len(owner)))
    none = pa.nulls(len(owner), pa.int64())
    columns = [ids.take(owner), epochs.take(row), pa.array(names).take(row), values, none]
    return pa.Table.from_arrays(columns, schema=PART_HISTORY_SCHEMA)


def logits_of(random: np.random.Generator) -> pa.Table:
    """Return the logits of one trial."""
    keys = list(product(SPLITS, ROUTES, KEYS))
    split, route, pattern = (pa.array(np.repeat(words, SAMPLES)) for words in zip(*keys, strict=True))
    ids = pa.array([f"{own}-{number}" for own, _, _ in keys for number in range(SAMPLES)])
    flat = pa.array(random.normal(size=len(ids) * CLASSES).astype(np.float32))
    columns = {"split": split, "pattern": pattern, "route": route, "sample_id": ids}
    return pa.table({**columns, "logits": pa.FixedSizeListArray.from_arrays(flat, CLASSES)})


def build(root: str, share: float) -> int:
    """Write the store; return how many trials it has."""
    store = Store(root)
    store.prepare()
    for dataset in DATASETS:
        store.write_samples(samples_of(dataset))
    trials, random = trial_table(share), np.random.default_rng(0)
    for start in range(0, len(trials), TRIALS_PER_PART):
        rows = trials.slice(start, TRIALS_PER_PART).combine_chunks()
        ids = rows["trial_id"].combine_chunks()
        with store.files.staging(COMPACTED) as folder, PartWriter(folder) as writer:
            places = [writer.add_logits(trial_id, logits_of(random)) for trial_id in ids.to_pylist()]
            for name, found in zip(("logits", "row_group"), zip(*places, strict=True), strict=True):
                own = PART_TRIALS_SCHEMA.field(name)
                rows = rows.set_column(rows.schema.get_field_index(name), own, pa.array(found, own.type))
            writer.add(rows, scores_of(ids, random), history_of(ids, random))
            store.files.publish_staged(folder, (COMPACTED, writer.finish(0)), last=PART_DONE)
    return len(trials)


def measure(root: str) -> dict[str, float]:
    """Return seconds and peak memory of reading, selecting and building tables, in this process."""
    found = {"imports_bytes": _peak_bytes()}
    began = time.perf_counter()
    data = load(Store(root))
    found |= {"load_s": time.perf_counter() - began, "load_bytes": _peak_bytes()}
    picks = select(data, Options())
    found |= {"select_s": time.perf_counter() - began, "select_bytes": _peak_bytes(), "picks": len(picks)}
    of_metrics = [name for name in TABLES if name not in OF_LOGITS]
    for name in of_metrics:
        TABLES.get(name)(data, Options(num_resamples=0))
    found |= {"metrics_s": time.perf_counter() - began, "metrics_bytes": _peak_bytes(), "of_metrics": len(of_metrics)}
    for name in TABLES:
        TABLES.get(name)(data, Options())
    return found | {
        "logits_s": time.perf_counter() - began,
        "logits_bytes": _peak_bytes(),
        "tables": len(TABLES.names()),
    }


def naive(root: str, count: int) -> float:
    """Return seconds per trial of reading its logits and scoring them with scikit-learn."""
    store = Store(root)
    ids = sorted(store.done_ids())[:count]
    targets = {split: samples_of(DATASETS[0]).split(split)[1] for split in SPLITS}
    began = time.perf_counter()
    for record in store.records(ids):
        for key, logits in record.logits.items():
            f1_score(targets[key.split], logits.argmax(axis=1), average="macro", zero_division=0)
    return (time.perf_counter() - began) / len(ids)


def _peak_bytes() -> int:
    """Return this program's own peak; what `getrusage` says begins with that of the process that started it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")


def main() -> None:
    """Build the store, measure in a fresh process, and print figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the 100,800 trials")
    parser.add_argument("--store", help="keep the store here, and use what is there")
    parser.add_argument("--naive-trials", type=int, default=300, help="how many are read the naive way")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = options.store or str(Path(folder) / "store")
        count = len(Store(root).trial_ids()) or build(root, options.share)
        command = [sys.executable, __file__, "--measure", root]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        found |= {"trials": count, "naive_s_extrapolated": naive(root, options.naive_trials) * count}
    found["ratio"] = found["naive_s_extrapolated"] / found["metrics_s"]
    if options.json:
        print(json.dumps(found))
        return
    print(f"{count} trials, compacted, {options.naive_trials} of them read the naive way")
    steps = {
        "load": "loading",
        "select": "selection",
        "metrics": f"the {found['of_metrics']} tables of metrics",
        "logits": f"all {found['tables']} again, with intervals and missing rates, from logits",
    }
    for step, title in steps.items():
        print(f"up to {title:64} {found[f'{step}_s']:8.2f} s   peak {found[f'{step}_bytes'] / 2**20:6.0f} MiB")
    print(
        f"reading all logits and scoring them with scikit-learn (extrapolated) {found['naive_s_extrapolated']:8.0f} s"
    )
    print(f"ratio to the tables of metrics {found['ratio']:8.0f} x")


if __name__ == "__main__":
    main()
