"""What Ray and the store cost beside a trial's own compute: our executor against plain Tune function trainables.

Both train the same trials, of a data set so small that they are nearly empty, on two workers of one machine. The
overhead of a trial is wall-clock time times two workers, less what the trials themselves measured, per trial.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune

from orchestrator.attempts import Attempts
from orchestrator.plan import Plan, PlannedTrial, make_plan
from orchestrator.retries import Retries
from orchestrator.run import run_on_ray
from orchestrator.schedule import Schedule
from results.store import Store
from search_spaces import Grid, choice
from trainables.api import DataInfo, Dataset, DatasetCard, InputInfo, RawData
from trainables.catalogs import DATASETS
from trainables.task import TrialTask
from trainables.trial import Trial

WORKERS = 2


class Speck(Dataset):
    """Twelve samples: training them takes milliseconds."""

    card = DatasetCard(title="Speck", task="two classes", licence="none", source="generated")
    default_encoders = {"left": "mlp_tiny", "right": "mlp_tiny"}  # noqa: RUF012 (read only)

    @classmethod
    def modalities(cls) -> tuple[str, ...]:
        """Return two modalities."""
        return ("left", "right")

    def info(self) -> DataInfo:
        """Return four numbers per modality."""
        inputs = {name: InputInfo(kind="vector", shape=(4,)) for name in self.modalities()}
        return DataInfo(dataset="speck", inputs=inputs, class_names=["no", "yes"])

    def content(self) -> Mapping[str, str]:
        """Return nothing: no file is read."""
        return {}

    def load(self) -> RawData:
        """Draw the samples."""
        generator = np.random.default_rng(0)
        inputs = {name: generator.normal(size=(12, 4)).astype(np.float32) for name in self.modalities()}
        return RawData(
            sample_ids=[f"speck{index}" for index in range(12)],
            splits=["train"] * 4 + ["val"] * 4 + ["test"] * 4,
            groups=[""] * 12,
            targets=np.arange(12) % 2,
            inputs=inputs,
        )


def _plain(num_trials: int, make_task: Callable[[PlannedTrial], TrialTask], plan: Plan, folder: str) -> None:
    """Do the same with a Tune function trainable and Tune's defaults."""
    tasks = {trial.trial_id: make_task(trial).to_config() for trial in plan.trials}
    extension = Speck

    def train(config: dict[str, Any]) -> None:
        import_module("trainables.catalogs").DATASETS.add(extension)
        for rows in Trial(TrialTask.from_config(tasks[config["trial"]])).epochs():
            tune.report({row.name: row.value for row in rows})

    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
    tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={"trial": tune.grid_search(list(tasks)[:num_trials])},
        run_config=tune.RunConfig(storage_path=folder, verbose=0),
    ).fit()
    ray.shutdown()


def _measure(kind: str, num_trials: int) -> dict[str, float]:
    """Return seconds of wall clock, of the trials' own compute, and overhead per trial of one executor."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "store"))
        store.prepare()
        grid = Grid({"dataset": "speck", "method": "naive", "epochs": 1, "seed": choice(*range(num_trials))})
        plan = make_plan("overhead", grid)

        def make_task(trial: PlannedTrial) -> TrialTask:
            return TrialTask(
                trial_id=trial.trial_id,
                spec=trial.spec.to_config(),
                store=store.root,
                cache=str(Path(folder) / "cache"),
            )

        began = time.perf_counter()
        if kind == "mmpt":
            extensions = {"datasets": {"speck": Speck}}
            run_on_ray(
                Attempts(Schedule(plan), make_task, store, Retries()),
                make_task,
                resources={"cpus": 1},
                extensions=extensions,
            )
        else:
            _plain(num_trials, make_task, plan, str(Path(folder) / "tune"))
        wall = time.perf_counter() - began
        own = sum(record.fact("seconds/total") or 0.0 for record in store.records())
        assert len(store.done_ids()) == num_trials, next(iter(store.failures().values()), "no failure")
    return {"wall_s": wall, "own_s": own, "overhead_s_per_trial": (wall * WORKERS - own) / WORKERS / num_trials}


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--plain-trials", type=int, default=40, help="plain Tune takes seconds per trial")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    DATASETS.add(Speck)
    measured = {"mmpt": _measure("mmpt", options.trials), "plain": _measure("plain", options.plain_trials)}
    name = "overhead_s_per_trial"
    measured["ratio"] = {name: measured["plain"][name] / measured["mmpt"][name]}
    if options.json:
        print(json.dumps(measured))
        return
    for kind in ("mmpt", "plain"):
        row = measured[kind]
        print(
            f"{kind:6} {row['wall_s']:7.1f} s in all, {row['own_s']:6.1f} s of it the trials' own compute on "
            f"{WORKERS} workers, overhead {row['overhead_s_per_trial']:.3f} s per trial"
        )
    print(f"plain / mmpt: {measured['ratio']['overhead_s_per_trial']:.1f} x the overhead")


if __name__ == "__main__":
    main()
