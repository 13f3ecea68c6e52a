"""System metrics reach the parent of a running sweep, and of no other."""

from pathlib import Path

import pytest
import toys

from orchestrator.events import Outcome
from orchestrator.mlflow_connect import connect
from orchestrator.mlflow_parents import parents
from orchestrator.plan import Plan, make_plan
from orchestrator.system_metrics import SystemMetrics
from orchestrator.tracking import Tracker
from results.store import Store
from search_spaces.errors import MmptError

pytestmark = pytest.mark.slow


@pytest.fixture
def plan() -> Plan:
    return make_plan("measured", [toys.spec("naive")])


def test_the_running_sweep_is_measured(store: Store, plan: Plan, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    tracker, metrics = Tracker(store.root, uri), SystemMetrics(store, uri, interval_seconds=0.1)
    tracker.sweep_started(plan)
    metrics.sweep_started(plan)
    client = connect(uri)
    ids = frozenset(trial.trial_id for trial in plan.trials)
    found: set[str] = set()
    for _ in range(600):  # polled: MLflow's own threads write
        runs = list(parents(client, store))
        found = {name for run in runs for name in client.get_run(run.info.run_id).data.metrics}
        if found:
            break
        metrics._ended.wait(0.1)
    outcome = Outcome(done=frozenset(), trained=frozenset(), failed={}, skipped={}, pending=ids)
    metrics.sweep_ended(outcome)
    tracker.sweep_ended(outcome)
    tracker.close()
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_percentage"} <= found


def test_a_machine_without_psutil_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.system_metrics.find_spec", lambda name: None)
    with pytest.raises(MmptError, match="need the Python package 'psutil'"):
        SystemMetrics(store, "sqlite:////tmp/never.db")
