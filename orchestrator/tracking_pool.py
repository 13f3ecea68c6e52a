"""Rebuilds one sweep in MLflow, several trials at once: reading Parquet, MLflow's work and waiting overlap."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Self

from threadpoolctl import threadpool_limits

from orchestrator.mlflow_text import Child
from orchestrator.mlflow_writer import SweepWriter
from orchestrator.tracking_interrupted import write_interrupted
from orchestrator.tracking_reader import Reader
from orchestrator.tracking_spool import Spool, other_writers
from orchestrator.tracking_uri import uri_kind
from results.store import Failure
from search_spaces.errors import MmptError

__all__ = ["SweepRebuild", "Written"]

_THREADS = 4
_MOST_ERRORS = _THREADS + 1
"""Errors of MLflow in a row after which it counts as gone; one trial that it refuses does not stop the others."""


class BusyError(MmptError):
    """Somebody else writes this sweep to this MLflow at present."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of one trial; neither `new` nor `known` if there was an error.

    Attributes:
        dataset: its data set; None if nobody knows.
        new: it was written.
        known: MLflow had it, whole.
        unreadable: why the store cannot read it.
        refused: why MLflow did not take it.
    """

    dataset: str | None
    new: bool = False
    known: bool = False
    unreadable: Exception | None = None
    refused: Exception | None = None


class SweepRebuild:
    """Writes finished and failed trials of one sweep; while it is entered, others leave the sweep alone.

    Args:
        reader: of the store.
        uri: what `tracking_uri` returned.
        sweep: the sweep's name.
        datasets: trial id -> data set, as far as it is known without reading the trial.
        failures: failed trials of the store.

    Raises:
        BusyError: on entering, if somebody else is writing the sweep to the same MLflow.
    """

    def __init__(
        self, reader: Reader, uri: str, sweep: str, datasets: Mapping[str, str], failures: Mapping[str, Failure]
    ) -> None:
        self._reader, self._uri, self._sweep = reader, uri, sweep
        self._datasets, self._failures = datasets, failures
        one_at_a_time = uri_kind(uri) == "sqlite"  # its file has one writer; the others read Parquet meanwhile
        self._gate: AbstractContextManager[object] = threading.Lock() if one_at_a_time else nullcontext()
        self._spool = Spool(reader.store.files, sweep, uri)
        self._signed = False

    def __enter__(self) -> Self:
        """Say in the store that this sweep is being written."""
        try:
            self._spool.beat()
            self._signed = True
        except OSError:  # a store that may only be read: then MLflow is asked before any child is made
            pass
        others = other_writers(self._reader.store.files, self._sweep, self._uri, self._spool)
        if others:
            self.__exit__()
            raise BusyError(f"{others[0]} is writing sweep {self._sweep!r} there; it is left alone until that ends")
        self._writer = SweepWriter(self._uri, self._reader.store.root, self._sweep, alone=self._signed)
        return self

    def __exit__(self, *error: object) -> None:
        """Let others write."""
        if self._signed:
            self._spool.leave()

    def put_all(self, trial_ids: Sequence[str]) -> Iterator[tuple[str, Written]]:
        """Write trials, and say in their order what became of each.

        Raises:
            Exception: what MLflow raised, if it takes nothing any more; the rest is not written.
        """
        errors = 0
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mlflow-track")
        try:
            with threadpool_limits(1, "blas"):  # the pool's threads are enough
                for trial_id, result in zip(trial_ids, pool.map(self._put, trial_ids), strict=True):
                    if self._signed:
                        self._spool.beat()
                    yield trial_id, result
                    errors = errors + 1 if result.refused else 0
                    if result.refused and errors == _MOST_ERRORS:
                        raise result.refused
        finally:
            pool.shutdown(cancel_futures=True)

    def end(self, statuses: Mapping[str, str]) -> None:
        """Write what was spooled of interrupted trials, then the status of each data set's parent."""
        files = self._reader.store.files
        write_interrupted(self._writer, files, self._sweep, self._uri, self._has_ended)
        for dataset, status in statuses.items():
            self._writer.end(dataset, status)

    def _has_ended(self, trial_id: str) -> bool:
        return trial_id in self._failures or self._reader.store.is_done(trial_id)

    def _put(self, trial_id: str) -> Written:
        """Write one trial unless MLflow has it."""
        failure, dataset = self._failures.get(trial_id), self._datasets.get(trial_id)
        try:
            if dataset is not None and failure is None and self._writer.has(dataset, trial_id):
                return Written(dataset=dataset, known=True)
        except Exception as error:  # noqa: BLE001 (whatever MLflow, its database driver or HTTP raise)
            return Written(dataset=dataset, refused=error)
        try:
            child = self._reader.failed(failure) if failure else self._reader.done(self._reader.record(trial_id))
        except (MmptError, ValueError, KeyError) as error:
            return Written(dataset=dataset, unreadable=error)
        return self._put_child(child)

    def _put_child(self, child: Child) -> Written:
        dataset = child.spec.dataset
        try:
            with self._gate:
                known = self._writer.has(dataset, child.trial_id, child.error)
                if not known:
                    self._writer.put(child)
        except Exception as error:  # noqa: BLE001 (as above)
            self._writer.forget(dataset, child.trial_id)
            return Written(dataset=dataset, refused=error)
        return Written(dataset=dataset, new=not known, known=known)
