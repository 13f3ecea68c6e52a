"""Measure what MLflow costs a sweep, and how fast a store's trials are written to MLflow.

`sweep` trains the same trials with and without tracking, eight at once with 20 metrics per epoch, on the real executor.
`rebuild` writes a store of made-up trials. Both write into a new SQLite file, or through a server of their own over a
`--backend`, which shares the machine with the trials.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from processes import family, processor_seconds
from scipy import stats

from orchestrator.mlflow_connect import connect
from orchestrator.preflight import prepare_sweep
from orchestrator.sweep import Sweep
from orchestrator.tracking import track, tracking_uri
from orchestrator.tracking_uri import DISABLED
from results.schema import HistoryRow, LogitsKey, Samples, TrialRecord
from results.store import Store
from search_spaces import Grid, choice
from search_spaces.missing_rates import MissingRates
from search_spaces.spec import TrialSpec
from trainables.api import Batch, Features, Term
from trainables.methods.naive import Naive

MODALITIES, PATTERNS, CLASSES, EPOCHS, SAMPLES = ("audio", "image"), ("audio-image", "audio", "image"), 4, 20, 300
CURVES = ("train/loss", "train/audio", "train/image", "val/loss", "val/macro_f1", "val/accuracy")
AT_ONCE = 8
WALL, PROCESSOR = "wall", "processor"
IMPORTED = time.perf_counter()
TERMS, PAIRS_PER_IMAGE = 14, 5  # half a second of a processor per epoch
START_SECONDS = 300.0  # a server on a busy machine takes its time


def fill(root: str, count: int) -> None:
    """Write a store of made-up trials of two modalities with 20 epochs of 6 curves."""
    store, random = Store(root), np.random.default_rng(0)
    store.prepare()
    rows = [(f"{split}-{number}", split, "") for split in ("val", "test") for number in range(SAMPLES)]
    samples = Samples(
        fingerprint="f" * 16,
        dataset="made_up",
        modalities=list(MODALITIES),
        class_names=[f"class {number}" for number in range(CLASSES)],
        multi_label=False,
        frame=pd.DataFrame(rows, columns=["sample_id", "split", "group"]),
        targets=np.arange(len(rows)) % CLASSES,
    )
    store.write_samples(samples)
    ids = {split: samples.split(split)[0] for split in ("val", "test")}
    for seed in range(count):
        spec = TrialSpec(dataset="made_up", method="naive", seed=seed, p_train=MissingRates.shared(0.3))
        curves = [HistoryRow(epoch, name, random.random(), 10) for epoch in range(1, EPOCHS + 1) for name in CURVES]
        record = TrialRecord(
            trial_id=spec.hash,
            spec=spec,
            facts={
                "modalities": list(MODALITIES),
                "num_classes": CLASSES,
                "multi_label": False,
                "fingerprint": samples.fingerprint,
                "reports": list(PATTERNS),
                "provenance": {"git_commit": "0" * 40, "packages": {"mmpt-sweep": "0.1.0"}},
            },
            logits={
                LogitsKey("probe", pattern, split): random.normal(size=(SAMPLES, CLASSES)).astype(np.float32)
                for pattern in PATTERNS
                for split in ids
            },
            sample_ids=ids,
            history=pd.DataFrame([*curves, HistoryRow(None, "seconds/total", 3.0)], columns=HistoryRow._fields),
        )
        store.write_trial(record)


@contextmanager
def server(backend: str, port: int, log: Path) -> Iterator[str]:
    """Run `mlflow server` over a database on loopback."""
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", backend, "--port", str(port)]
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    with log.open("wb") as handle:
        quiet = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # seven processes that nobody needs
        process = subprocess.Popen([*command, "--workers", "2"], stdout=handle, stderr=handle, env=quiet)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"{address}/health", timeout=5).close()  # noqa: S310 (loopback)
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.5)
            yield address
        finally:
            process.terminate()
            process.wait()


def rebuild(count: int, backend: str | None, port: int) -> dict[str, float]:
    """Return how long writing `count` trials takes."""
    with tempfile.TemporaryDirectory() as folder:
        root = str(Path(folder) / "store")
        fill(root, count)
        if backend is None:
            uri = tracking_uri(None, root)
            connect(uri).search_experiments()  # creating the database is not what is measured
            return _timed(root, uri, count)
        before = _cpu_seconds(resource.RUSAGE_CHILDREN)
        with server(backend, port, Path(folder) / "log") as address:
            found = _timed(root, address, count)
        return found | {"server_cpu_s": _cpu_seconds(resource.RUSAGE_CHILDREN) - before}  # its start included


def _timed(root: str, uri: str, count: int) -> dict[str, float]:
    began, busy = time.perf_counter(), _cpu_seconds()
    summary = track(root, uri)
    if (summary.written, summary.missing) != (count, 0):
        raise SystemExit(str(summary))
    seconds = time.perf_counter() - began
    return {
        "trials": count,
        "seconds": seconds,
        "per_minute": 60 * count / seconds,
        "own_cpu_s_per_trial": (_cpu_seconds() - busy) / count,
    }


def _cpu_seconds(who: int = resource.RUSAGE_SELF) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


class Talkative(Naive):
    """Naive training that tells so many terms of its loss that each epoch has 20 metrics, two of them clocks."""

    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the joint term, and more terms that weigh nothing."""
        terms = super().losses(features, batch)
        silent = replace(terms["joint"], weight=0.0)
        clocks = {WALL: time.perf_counter() - IMPORTED, PROCESSOR: time.process_time()}
        tell = {name: replace(silent, mean=torch.full_like(silent.mean, clock)) for name, clock in clocks.items()}
        return terms | {f"term{number}": silent for number in range(TERMS)} | tell


def sweep(seeds: int, epochs: int, repetitions: int, backend: str | None, port: int) -> dict[str, object]:
    """Return wall clock and the trials' own seconds of a sweep with tracking over those of the same without.

    One sweep differs from the next by some percent, so that several pairs are compared, of more trials than run at
    once: what one trial takes depends on how many run beside it. Where it is the machine's own
    speed that changes, trials take longer and as much more processor time; a trial that waits for others takes longer
    alone. So `stretch`, a trial's seconds per second of its own processor time, shows more exactly whether tracking
    slows trials. What it adds of processor time, in the driver and in the server, over what the machine has in that
    time, changes least: it is how much busy trials can be slowed.
    """
    grid = Grid(
        {
            "dataset": "av_digits",
            "av_digits.pairs_per_image": PAIRS_PER_IMAGE,
            "method": "talkative",
            "epochs": epochs,
            "seed": choice(*range(seeds)),
        }
    )
    rows = []
    for repetition in range(-1, repetitions):
        for tracked in (repetition % 2 == 0, repetition % 2 == 1):
            with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
                served = stack.enter_context(server(backend, port, Path(folder, "log"))) if backend else None
                row = {"pair": repetition, "tracked": tracked, **_swept(grid, folder, served, tracked=tracked)}
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    found = pd.DataFrame(rows).query("pair >= 0")  # the first pair reads programs from the disk and imports MLflow
    middle = found.groupby("tracked").median()
    added_s = (middle.driver_cpu_s + middle.server_cpu_s).diff().iloc[-1]
    return {
        "trials": len(grid),
        "wall_ratio": _ratio(found, "wall_s"),
        "trial_ratio": _ratio(found, "trial_s"),
        "stretch_ratio": _ratio(found, "stretch"),
        "added_cpu_ratio": added_s / middle.wall_s[False] / len(os.sched_getaffinity(0)),
        "runs": found.round(2).to_dict("records"),
    }


def _ratio(found: pd.DataFrame, measure: str) -> dict[str, float]:
    """Return the mean ratio of tracked to untracked over the pairs, and its 95 % interval if there are several."""
    sides = found.pivot_table(index="pair", columns="tracked", values=measure)
    logs = np.log(sides[True] / sides[False])
    half = stats.t.ppf(0.975, len(logs) - 1) * logs.sem() if len(logs) > 1 else float("nan")
    return {name: float(np.exp(logs.mean() + side * half)) for name, side in {"mean": 0, "low": -1, "high": 1}.items()}


def _swept(grid: Grid, folder: str, served: str | None, *, tracked: bool) -> dict[str, float]:
    """Run the sweep once, while the server, if there is one, is up in any case."""
    own = Sweep(
        grid,
        name="talkative",
        store=f"{folder}/store",
        tracking=served if tracked else "none",
        methods=[Talkative],
        resources={"cpus": 2 / AT_ONCE},
    )
    own.store.prepare()
    prepare_sweep(own.plan(), own.store, own.cache, DISABLED)  # the data set, once for all
    servers = [process for process in family(os.getpid()) if process != os.getpid()]
    began, busy, served_cpu = time.perf_counter(), _cpu_seconds(), sum(map(processor_seconds, servers))
    own.run(max_concurrent=AT_ONCE)
    wall = time.perf_counter() - began
    records = list(Store(own.store.root).records())
    if own.tracked and (own.tracked.written, own.tracked.missing) != (len(grid), 0):
        raise SystemExit(str(own.tracked))
    return {
        "metrics_per_epoch": records[0].history.query("epoch == 1")["name"].nunique(),
        "wall_s": wall,
        "trial_s": sum(record.fact("seconds/total") or 0.0 for record in records) / len(records),
        "stretch": sum(_passed(record, WALL) for record in records)
        / sum(_passed(record, PROCESSOR) for record in records),
        "driver_cpu_s": _cpu_seconds() - busy,
        "server_cpu_s": sum(map(processor_seconds, servers)) - served_cpu,
    }


def _passed(record: TrialRecord, clock: str) -> float:
    """Return what a clock of `Talkative` showed in the last epoch more than in the first."""
    shown = record.history[record.history["name"] == f"train/{clock}"].sort_values("epoch")["value"]
    return float(shown.iloc[-1] - shown.iloc[0])


def main() -> None:
    """Measure, and say how busy the machine was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="how many are rebuilt; 0 leaves this out")
    parser.add_argument("--backend", help="write through a server over this database")
    parser.add_argument("--port", type=int, default=5077, help="of that server")
    parser.add_argument("--seeds", type=int, default=24, help="of the sweep; 0 leaves it out")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, object] = {"load_before": os.getloadavg()[0]}
    if options.trials:
        found["rebuild"] = rebuild(options.trials, options.backend, options.port)
    if options.seeds:
        found["sweep"] = sweep(options.seeds, options.epochs, options.repetitions, options.backend, options.port)
    print(json.dumps(found | {"load_after": os.getloadavg()[0]}, indent=1))


if __name__ == "__main__":
    main()
