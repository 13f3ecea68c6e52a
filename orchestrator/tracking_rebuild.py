"""Writes a store's trials to MLflow from Parquet alone: after an outage, or into a new database."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator.mlflow_text import Child, done_child, failed_child
from orchestrator.mlflow_writer import SweepWriter
from orchestrator.sweep_members import recorded_sweeps
from orchestrator.tracking_uri import redact
from results.schema import Samples, TrialRecord
from results.store import Failure, Store
from search_spaces.errors import MmptError

__all__ = ["Reader", "TrackingSummary", "sweep_status", "track"]

Progress = Callable[[int, int], None]
"""Called with (trials looked at, trials in all)."""


@dataclass(frozen=True, kw_only=True)
class TrackingSummary:
    """What reached MLflow.

    Attributes:
        written: finished and failed trials that were written.
        already: those that were there before, whole.
        missing: those that could not be written.
        error: the first reason, in one line without credentials; None if nothing is missing.
        command: writes what is missing, later.
    """

    written: int
    already: int = 0
    missing: int
    error: str | None
    command: str

    def __str__(self) -> str:
        if not self.missing and self.error is None:
            return f"MLflow has all {self.written + self.already} trials"
        return f"MLflow lacks {self.missing} trials ({self.error}); write them later: {self.command}"


class Reader:
    """Turns a store's trials into what MLflow shows of them; each data set's samples are read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._samples: dict[str, Samples] = {}

    def record(self, trial_id: str) -> TrialRecord:
        """Read a finished trial.

        Raises:
            StoreError: its files are missing or damaged.
        """
        return self.store.read_trial(trial_id)

    def done(self, record: TrialRecord) -> Child:
        """Derive what a finished trial shows.

        Raises:
            StoreError: the samples of its data set are missing.
        """
        fingerprint = str(record.facts["fingerprint"])
        if fingerprint not in self._samples:
            self._samples[fingerprint] = self.store.read_samples(fingerprint)
        return done_child(record, self._samples[fingerprint])

    def failed(self, failure: Failure) -> Child:
        """Read a failed trial."""
        return failed_child(failure)


def track_command(store_root: str, uri: str) -> str:
    """Return the command that writes a store's trials to MLflow; credentials are left for the user to fill in."""
    return f"mmpt track --store {shlex.quote(store_root)} --tracking-uri {shlex.quote(redact(uri))}"


def first_line(error: BaseException) -> str:
    """Return an error in one line, without credentials."""
    lines = redact(str(error)).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def sweep_status(trial_ids: Iterable[str], done: Iterable[str], failed: Iterable[str]) -> str:
    """Return the parent's status: FAILED if a trial failed, KILLED if one was never finished, else FINISHED."""
    ids = set(trial_ids)
    if ids & set(failed):
        return "FAILED"
    return "KILLED" if ids - set(done) else "FINISHED"


def track(store_root: str, uri: str, sweep: str | None = None, progress: Progress | None = None) -> TrackingSummary:
    """Write every finished and failed trial that MLflow lacks. Running it again writes nothing.

    A trial's identity does not know its sweep, so live sweeps record their members in the store (`sweeps/`).

    Args:
        store_root: absolute path or bucket URL of the store.
        uri: what `tracking_uri` returned.
        sweep: a recorded sweep, of which only the members are written, or another name, under which all trials of
            the store are filed. None: every recorded sweep, and trials of none under the name of the store's folder.
        progress: called after every trial.

    Returns:
        What was written; an MLflow that cannot be reached ends the work, a damaged trial only counts as missing.

    Raises:
        StoreError: the store cannot be used.
    """
    store = Store(store_root)
    rebuild = _Rebuild(store, uri, progress)
    sweeps = _sweeps(store, rebuild.known, sweep)
    rebuild.total = sum(len(members & rebuild.known) for members in sweeps.values())
    for name, members in sweeps.items():
        if not rebuild.unreachable:
            rebuild.write(name, members)
    return rebuild.summary()


def _sweeps(store: Store, known: frozenset[str], chosen: str | None) -> dict[str, frozenset[str]]:
    recorded: dict[str, Mapping[str, str]] = dict(recorded_sweeps(store.files))
    sweeps = {name: frozenset(datasets) for name, datasets in recorded.items()}
    if chosen is not None:
        return {chosen: sweeps.get(chosen, known)}
    rest = known.difference(*sweeps.values())
    name = PurePosixPath(store.root.rstrip("/")).name or "store"
    if rest or not sweeps:
        sweeps[name] = rest | sweeps.get(name, frozenset())
    return sweeps


class _Rebuild:
    """One call of `track`."""

    def __init__(self, store: Store, uri: str, progress: Progress | None) -> None:
        self._reader = Reader(store)
        self._uri = uri
        self._progress = progress
        self._done = store.done_ids(verify=True)
        self._failures = {key: value for key, value in store.failures().items() if key not in self._done}
        self.known = frozenset(self._done | set(self._failures))
        self.total = 0
        self.unreachable = False
        self._seen = self._written = self._already = 0
        self._error: str | None = None

    def write(self, name: str, members: frozenset[str]) -> None:
        """Write one sweep's trials and the status of its parents."""
        datasets: dict[str, set[str]] = {}
        try:
            writer = SweepWriter(self._uri, self._reader.store.root, name)
            for trial_id in sorted(members & self.known):
                dataset = self._write_trial(writer, trial_id)
                if dataset is not None:
                    datasets.setdefault(dataset, set()).add(trial_id)
            self._end(writer, name, datasets)
        except MmptError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever MLflow, its database driver or HTTP raise)
            self._error = self._error or first_line(error)
            self.unreachable = True

    def _write_trial(self, writer: SweepWriter, trial_id: str) -> str | None:
        """Write one trial unless MLflow has it; return its data set, None if the store cannot read it."""
        failure = self._failures.get(trial_id)
        try:
            found = self._reader.failed(failure) if failure else self._reader.record(trial_id)
            dataset = found.spec.dataset
            known = writer.has(dataset, trial_id, found.error if isinstance(found, Child) else None)
            child = found if known or isinstance(found, Child) else self._reader.done(found)
        except (MmptError, ValueError, KeyError) as error:
            self._error = self._error or first_line(error)
            return None
        self._seen += 1
        if isinstance(child, Child) and not known:
            writer.put(child)
            self._written += 1
        else:
            self._already += 1
        if self._progress:
            self._progress(self._seen, self.total)
        return dataset

    def _end(self, writer: SweepWriter, name: str, datasets: Mapping[str, set[str]]) -> None:
        recorded = recorded_sweeps(self._reader.store.files).get(name, {})
        for dataset, written in datasets.items():
            planned = {trial_id for trial_id, key in recorded.items() if key == dataset}
            writer.end(dataset, sweep_status(planned | written, self._done, self._failures))

    def summary(self) -> TrackingSummary:
        """Count."""
        missing = self.total - self._written - self._already
        command = track_command(self._reader.store.root, self._uri)
        return TrackingSummary(
            written=self._written, already=self._already, missing=missing, error=self._error, command=command
        )
