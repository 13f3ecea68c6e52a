"""Made-up trials that are played to a tracker, and what MLflow then shows of them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Experiment as MlflowExperiment

from orchestrator.events import Outcome
from orchestrator.plan import Plan, PlannedTrial
from orchestrator.tracking import Tracker
from results.schema import HistoryRow, LogitsKey, Samples, TrialRecord
from results.store import Failure, Store
from search_spaces.missing_rates import MissingRates
from search_spaces.spec import TrialSpec

EPOCHS = 3
PATIENCE_SECONDS = 120.0  # on a busy machine

Shown = tuple[str, str, dict[str, str], dict[str, str], dict[str, list[tuple[int, float]]], str | None]
"""Status, name, tags, params, curves and parent of an MLflow run."""


def know_summaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace what is computed by metrics that are known without computing, among them what MLflow would refuse."""

    def final_metrics(record: TrialRecord, samples: Samples) -> dict[str, float]:
        return {"test/all/macro_f1": 0.5 + record.spec.seed / 10, "odd=name@1": 1.0, "broken": float("nan")}

    def p_test_curves(record: TrialRecord, samples: Samples) -> dict[str, list[tuple[float, float]]]:
        return {"p_test/shared/macro_f1": [(0, 0.9), (10, 0.8), (100, 0.1)]}

    monkeypatch.setattr("results.summary.final_metrics", final_metrics)
    monkeypatch.setattr("results.summary.p_test_curves", p_test_curves)


def make_store(root: Path) -> Store:
    made = Store(str(root))
    made.prepare()
    made.write_samples(
        Samples(
            fingerprint="f" * 16,
            dataset="toy",
            modalities=["audio", "image"],
            class_names=["a", "b"],
            multi_label=False,
            frame=pd.DataFrame({"sample_id": ["1", "2"], "split": ["val", "test"], "group": ["", ""]}),
            targets=np.array([0, 1]),
        )
    )
    return made


def planned(method: str, seed: int, state: Literal["done", "new"] = "new", dataset: str = "toy") -> PlannedTrial:
    spec = TrialSpec(
        dataset=dataset,
        method=method,
        seed=seed,
        p_train=MissingRates.parse("audio:0.3"),
        method_params={"weight": 0.5},
        encoders={"audio": "conv_tiny"},
    )
    return PlannedTrial(
        trial_id=spec.hash,
        spec=spec,
        fingerprint="f" * 16,
        requires={},
        state=state,
        keep_model=False,
        requested=True,
        seconds=None,
    )


def history(trial: PlannedTrial) -> list[HistoryRow]:
    rows = [HistoryRow(epoch, "train/loss", 1 / (epoch + trial.spec.seed), 4) for epoch in range(1, EPOCHS + 1)]
    rows += [HistoryRow(epoch, "val/all/macro_f1", epoch / 10) for epoch in range(1, EPOCHS + 1)]
    return [*rows, HistoryRow(2, "grad/norm", float("inf")), HistoryRow(None, "seconds/total", 2.5)]


def finish(store: Store, trial: PlannedTrial) -> TrialRecord:
    record = TrialRecord(
        trial_id=trial.trial_id,
        spec=trial.spec,
        facts={
            "modalities": ["audio", "image"],
            "reports": ["audio-image"],
            "fingerprint": trial.fingerprint,
            "provenance": {"git_commit": "abc", "packages": {"torch": "2.4"}},
        },
        logits={LogitsKey("probe", "audio", split): np.zeros((1, 2), np.float32) for split in ("val", "test")},
        sample_ids={"val": ["1"], "test": ["2"]},
        history=pd.DataFrame(history(trial), columns=HistoryRow._fields),
    )
    store.write_trial(record)
    return record


def fail(store: Store, trial: PlannedTrial) -> None:
    store.write_failure(
        Failure(trial_id=trial.trial_id, error="ValueError: no\ngood", traceback="...", spec=trial.spec.to_config())
    )


def play(
    tracker: Tracker,
    store: Store,
    name: str,
    trials: list[PlannedTrial],
    before_end: Callable[[], object] = lambda: None,
) -> None:
    """Tell a tracker of a sweep in which method `bad` fails and `late` never ends."""
    tracker.sweep_started(Plan(name=name, trials=tuple(trials)))
    done, failed, pending = set(), {}, set()
    for trial in trials:
        if trial.state == "done":
            done.add(trial.trial_id)
            continue
        tracker.trial_started(trial)
        tracker.trial_progressed(trial, [row for row in history(trial) if row.epoch == 1])
        tracker.trial_progressed(trial, [row for row in history(trial) if row.epoch == 2])
        if trial.spec.method == "bad":
            fail(store, trial)
            tracker.trial_failed(trial, "ValueError: no good")
            failed[trial.trial_id] = "ValueError: no good"
        elif trial.spec.method == "late":
            pending.add(trial.trial_id)
        else:
            finish(store, trial)
            tracker.trial_finished(trial)
            done.add(trial.trial_id)
    before_end()
    tracker.sweep_ended(
        Outcome(done=frozenset(done), trained=frozenset(done), failed=failed, skipped={}, pending=frozenset(pending))
    )


def folder(client: MlflowClient, name: str) -> MlflowExperiment:
    found = client.get_experiment_by_name(name)
    assert found is not None
    return found


def contents(uri: str, name: str) -> dict[str, Shown]:
    """Return trial id (or "parent") -> all that MLflow shows of it, times and ids of its own aside."""
    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(name)
    shown = {}
    runs = client.search_runs([found.experiment_id]) if found else []
    ids = {run.info.run_id: run.data.tags.get("mmpt.trial_id", "parent") for run in runs}
    for run in runs:
        tags = dict(run.data.tags)
        parent = tags.pop("mlflow.parentRunId", None)
        curves = {
            key: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        }
        key = ids[run.info.run_id]
        assert key not in shown, "two MLflow runs for one trial"
        shown[key] = (run.info.status, run.info.run_name, tags, dict(run.data.params), curves, parent and ids[parent])
    return shown


def until(condition: Callable[[], object]) -> None:
    """Wait until something is true."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        pause.wait(0.02)
