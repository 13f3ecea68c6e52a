"""CPU, memory, disk, network and GPUs of the driver's machine, as MLflow measures them, on a sweep's parents."""

import logging
import threading
from importlib.util import find_spec
from typing import Any

from orchestrator import mlflow_text as text
from orchestrator.events import Listener, Outcome
from orchestrator.mlflow_connect import connect, mlflow_errors
from orchestrator.mlflow_parents import parents
from orchestrator.plan import Plan
from results.store import Store
from search_spaces.errors import MmptError

__all__ = ["SystemMetrics"]

_log = logging.getLogger(__name__)
_STOP_SECONDS = 15.0


class SystemMetrics(Listener):
    """Measures on threads of its own while a sweep runs; other machines of a cluster are in Ray's dashboard.

    Args:
        store: of the sweep.
        uri: what `tracking_uri` returned.
        interval_seconds: between measurements.

    Raises:
        MmptError: psutil, with which MLflow measures, is not installed.
    """

    def __init__(self, store: Store, uri: str, interval_seconds: float = 10.0) -> None:
        if find_spec("psutil") is None:
            raise MmptError("system metrics need the Python package 'psutil'; install it or leave out --system-metrics")
        self._store, self._uri, self._interval_seconds = store, uri, interval_seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def sweep_started(self, plan: Plan) -> None:
        """Start measuring as soon as MLflow shows the sweep as running."""
        self._thread = threading.Thread(target=self._watch, args=(plan.name,), name="system-metrics", daemon=True)
        self._thread.start()

    def sweep_ended(self, outcome: Outcome) -> None:
        """Write what was measured."""
        del outcome
        self._ended.set()
        if self._thread:
            self._thread.join(_STOP_SECONDS)

    def _watch(self, sweep: str) -> None:
        monitors: dict[str, Any] = {}
        try:
            while not self._ended.wait(self._interval_seconds / 5):
                self._start_missing(sweep, monitors)
        except MmptError as error:
            _log.warning("%s; there will be no system metrics", error)
        for monitor in monitors.values():
            monitor.finish()

    def _start_missing(self, sweep: str, monitors: dict[str, Any]) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor  # noqa: PLC0415 (seconds)

        client = connect(self._uri)
        with mlflow_errors(self._uri):
            running = [run for run in parents(client, self._store) if run.info.status == "RUNNING"]
        for run in running:
            if run.data.tags[text.SWEEP] == sweep and run.info.run_id not in monitors:
                make: Any = SystemMetricsMonitor
                monitor = make(run.info.run_id, self._interval_seconds, resume_logging=True, tracking_uri=self._uri)
                monitor.start()
                monitors[run.info.run_id] = monitor
