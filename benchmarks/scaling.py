"""What a sweep of thousands of trials costs beside the trials: planning, slots that idle, and memory.

Trials are simulated: a trial waits, without computing, and writes a real result. Everything around it is what every
sweep uses: plan, schedule, searcher, callback, Ray Tune, warm workers, the store. A store of finished trials is
simulated by writing one result again and again under other ids.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from trial_overhead import Speck

import orchestrator.run
from orchestrator.events import Listener
from orchestrator.execution import Execution
from orchestrator.plan import Plan, PlannedTrial, make_plan
from orchestrator.preflight import prepare_sweep
from orchestrator.schedule import Schedule
from orchestrator.sweep import Sweep
from orchestrator.tracking_uri import DISABLED
from results.compact import compact
from results.schema import HISTORY_SCHEMA, LogitsKey, TrialRecord
from results.store import Store
from results.trial_folders import DONE, SPEC
from search_spaces import Grid, choice
from search_spaces.modality import patterns
from search_spaces.spec import TrialSpec
from trainables.build import open_prepared
from trainables.catalogs import DATASETS
from trainables.resolve import resolve
from trainables.trainable import TrialTrainable

PATTERNS = patterns(Speck.modalities())
TRIALS_PER_SEED = 60  # of `plan_of`, required trials included


def grid_of(trials: int) -> Grid:
    """Return a grid of about so many trials; a third of them is required by others."""
    return Grid(
        {
            "dataset": "speck",
            "method": choice("naive", "umt", "dropout", "mtl"),
            "dropout.modality": "left",
            "epochs": 1,
            "learning_rate": choice(*(1e-4 * (1 + place) for place in range(10))),
            "seed": choice(*range(max(1, trials // TRIALS_PER_SEED))),
        }
    )


def record_of(trial_id: str, config: dict[str, Any], facts: dict[str, Any]) -> TrialRecord:
    """Return a made-up result with the shape of a real one."""
    random = np.random.default_rng(0)
    ids = {"val": [f"speck{number}" for number in range(4, 8)], "test": [f"speck{number}" for number in range(8, 12)]}
    logits = {
        LogitsKey(route, pattern.key, split): random.normal(size=(4, 2)).astype(np.float32)
        for split in ids
        for route in ("probe", "head")
        for pattern in PATTERNS
    }
    history = pd.DataFrame([(None, "seconds/total", 1.0, None)], columns=HISTORY_SCHEMA.names)
    return TrialRecord(
        trial_id=trial_id,
        spec=TrialSpec.from_config(config),
        facts=facts,
        logits=logits,
        sample_ids=ids,
        history=history.astype({"epoch": "Int32", "samples": "Int64"}),
    )


class Idle(TrialTrainable):
    """A worker that trains nothing: it stores a made-up result and waits until the trial's time is over."""

    seconds = 1.0
    facts: dict[str, Any] = {}  # noqa: RUF012 (read only)

    def step(self) -> dict[str, Any]:
        """Be the whole trial."""
        began = time.perf_counter()
        store = Store(self._task.store)
        store.clear_failure(self._task.trial_id)
        store.write_trial(record_of(self._task.trial_id, dict(self._task.spec), self.facts))
        if self._task.keep_model:
            store.write_model(self._task.trial_id, b"no weights")
        time.sleep(max(0.0, self.seconds - (time.perf_counter() - began)))
        return {"rows": [], "done": True}


class Stopwatch(Listener):
    """Notes when trials start and end, and how much memory this process takes."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self.memory: list[int] = []

    def trial_started(self, trial: PlannedTrial) -> None:
        """Note the first."""
        del trial
        self.first = self.first or time.perf_counter()

    def trial_finished(self, trial: PlannedTrial) -> None:
        """Note the latest."""
        del trial
        self.last = time.perf_counter()
        self.memory.append(memory_bytes())


def memory_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def execute(trials: int, slots: int, seconds: float) -> dict[str, float]:
    """Run simulated trials on a local Ray cluster with the executor of every sweep."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store")
        plan = make_plan("scaling", grid_of(trials))
        plan = replace(plan, trials=plan.trials[:trials])
        prepare_sweep(plan, store, f"{folder}/cache", DISABLED)
        Idle.seconds, Idle.facts = seconds, resolve(plan.trials[0].spec).facts()
        orchestrator.run.trainable_with = lambda _: Idle  # the only thing that is not as in a sweep
        watch = Stopwatch()
        before, processor = memory_bytes(), time.process_time()
        schedule = Schedule(plan, [watch])
        share = (os.cpu_count() or 1) / slots
        began = time.perf_counter()
        Execution(store=store, cache=folder, resources={"cpus": share}, extensions={}).work_off(schedule)
        wall, outcome = time.perf_counter() - began, schedule.end()
        assert len(outcome.trained) == len(plan.trials) == len(store.done_ids())
        ideal = len(plan.trials) * seconds / slots
        return {
            "trials": len(plan.trials),
            "slots": slots,
            "ideal_s": ideal,
            "trials_s": watch.last - watch.first,
            "trials_ratio": (watch.last - watch.first) / ideal,
            "all_s": wall,
            "all_ratio": wall / ideal,
            "driver_cpu_s_per_trial": (time.process_time() - processor) / len(plan.trials),
            "driver_before_bytes": before,
            "driver_peak_bytes": max(watch.memory),
            "driver_bytes_per_trial": (watch.memory[-1] - watch.memory[len(plan.trials) // 4])
            / (0.75 * len(plan.trials)),
        }


def fill(store: Store, plan: Plan, done: int) -> None:
    """Put results of the first trials of a plan into a store: copies of one, under their own ids."""
    for spec in {trial.fingerprint: trial.spec for trial in plan.trials}.values():
        samples = open_prepared(resolve(spec), str(Path(store.root).parent / "cache")).to_samples(spec.dataset)
        store.write_samples(samples)
    first = plan.trials[0]
    store.write_trial(record_of(first.trial_id, first.spec.to_config(), resolve(first.spec).facts()))
    template = Path(store.root, "trials", first.trial_id)
    content = {path.name: path.read_bytes() for path in template.iterdir()}
    header, mark = (json.loads(content[name]) for name in (SPEC, DONE))
    shutil.rmtree(template)
    models = Path(store.root, "models")
    models.mkdir()
    for trial in plan.trials[:done]:
        folder = Path(store.root, "trials", trial.trial_id)
        folder.mkdir()
        facts = resolve(trial.spec).facts()
        spec = json.dumps({**header, "spec": trial.spec.to_config(), "facts": facts}, sort_keys=True, indent=1).encode()
        sums, sizes = {**mark["crc32"], SPEC: zlib.crc32(spec)}, {**mark["bytes"], SPEC: len(spec)}
        own = json.dumps({**mark, "trial_id": trial.trial_id, "crc32": sums, "bytes": sizes}).encode()
        for name, data in {**content, SPEC: spec, DONE: own}.items():
            (folder / name).write_bytes(data)
        if trial.keep_model or trial.spec.method == "unimodal":
            (models / f"{trial.trial_id}.safetensors").write_bytes(b"no weights")


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return wall-clock seconds, processor seconds and the answer."""
    began, processor = time.perf_counter(), time.process_time()
    answer = call()
    return time.perf_counter() - began, time.process_time() - processor, answer


def planning(trials: int, *, compacted: bool) -> dict[str, float]:
    """Resume a plan of which nine tenths are done: from folders, then compacted. Each figure is of a new process."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store")
        store.prepare()
        plan = make_plan("scaling", grid_of(trials))
        fill(store, plan, len(plan.trials) * 9 // 10)
        found: dict[str, float] = {"trials": len(plan.trials), "done": len(plan.trials) * 9 // 10}
        prepare_sweep(plan, store, f"{folder}/cache", DISABLED)
        for form in ("folders", "compacted") if compacted else ("folders",):
            if form == "compacted":
                found["compact_s"] = timed(lambda: compact(store))[0]
            command = [sys.executable, __file__, "--resume", folder, "--trials", str(trials)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found |= {f"{form}_{name}": value for name, value in json.loads(said).items()}
        return found


def resume(folder: str, trials: int) -> dict[str, float]:
    """Plan and prepare a sweep over a store as a new process does, up to the first trial."""
    where = {"store": f"{folder}/store", "cache": f"{folder}/cache"}
    opened, opened_processor, sweep = timed(lambda: Sweep(grid_of(trials), name="scaling", tracking=DISABLED, **where))
    wall, processor, plan = timed(sweep.plan)
    assert len(plan.done) == len(plan.trials) * 9 // 10, (len(plan.done), len(plan.trials))
    prepared, prepared_processor, _ = timed(lambda: prepare_sweep(plan, sweep.store, sweep.cache, DISABLED))
    return {
        "plan_s": opened + wall,
        "plan_cpu_s": opened_processor + processor,
        "prepare_s": prepared,
        "prepare_cpu_s": prepared_processor,
        "bytes": memory_bytes(),
    }


def main() -> None:
    """Measure what is asked for and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["execute", "planning"], default="execute")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one simulated trial")
    parser.add_argument("--compacted", action="store_true", help="measure planning of a compacted store as well")
    parser.add_argument("--resume", help=argparse.SUPPRESS)
    options = parser.parse_args()
    DATASETS.add(Speck)
    if options.resume:
        found = resume(options.resume, options.trials)
    elif options.what == "planning":
        found = planning(options.trials, compacted=options.compacted)
    else:
        found = execute(options.trials, options.slots, options.seconds)
    print(json.dumps(found, indent=None if options.resume else 1))


if __name__ == "__main__":
    main()
