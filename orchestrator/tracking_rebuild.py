"""Writes a store's trials to MLflow from Parquet alone: after an outage, or into a new database."""

from collections.abc import Callable

from orchestrator.sweep_members import recorded_sweeps, sweeps_of
from orchestrator.tracking_pool import SweepRebuild, Written
from orchestrator.tracking_reader import Reader
from orchestrator.tracking_summary import TrackingSummary, first_line, sweep_status, track_command
from results.store import Store
from search_spaces.errors import MmptError

__all__ = ["track"]

Progress = Callable[[int, int], None]
"""Called with (trials looked at, trials in all)."""


def track(
    store_root: str,
    uri: str,
    sweep: str | None = None,
    progress: Progress | None = None,
    done_elsewhere: frozenset[str] = frozenset(),
) -> TrackingSummary:
    """Write every finished and failed trial that MLflow lacks, and what drivers that are gone had spooled.

    Running it again writes nothing. A sweep that a driver is writing to the same MLflow is left to it. A trial's
    identity does not know its sweep, so live sweeps record their members in the store (`sweeps/`).

    Args:
        store_root: absolute path or bucket URL of the store.
        uri: what `tracking_uri` returned.
        sweep: a recorded sweep, of which only the members are written, or another name, under which all trials of
            the store are filed. None: every recorded sweep, and trials of none under the name of the store's folder.
        progress: called after every trial.
        done_elsewhere: trials that another store has finished; here they neither failed nor are they missing.

    Returns:
        What was written; an MLflow that cannot be reached ends the work, a damaged trial only counts as missing.

    Raises:
        StoreError: the store cannot be used.
    """
    store = Store(store_root)
    rebuild = _Rebuild(store, uri, progress, done_elsewhere)
    sweeps = sweeps_of(store, rebuild.known, sweep)
    rebuild.total = sum(len(members & rebuild.known) for members in sweeps.values())
    for name, members in sweeps.items():
        if not rebuild.unreachable:
            rebuild.write(name, members)
    return rebuild.summary()


class _Rebuild:
    """One call of `track`: its counts over all sweeps."""

    def __init__(self, store: Store, uri: str, progress: Progress | None, done_elsewhere: frozenset[str]) -> None:
        self._reader = Reader(store)
        self._uri = uri
        self._progress = progress
        own = store.done_ids(verify=True)
        self._done = own | done_elsewhere
        self._failures = {key: value for key, value in store.failures().items() if key not in self._done}
        self.known = frozenset(own | set(self._failures))
        self.total = 0
        self.unreachable = False
        self._seen = self._written = self._already = 0
        self._error: str | None = None

    def write(self, name: str, members: frozenset[str]) -> None:
        """Write one sweep's trials and the status of its parents."""
        recorded = recorded_sweeps(self._reader.store.files).get(name, {})
        datasets: dict[str, set[str]] = {}
        for trial_id, dataset in recorded.items():
            datasets.setdefault(dataset, set()).add(trial_id)
        try:
            with SweepRebuild(self._reader, self._uri, name, recorded, self._failures) as sweep:
                for trial_id, result in sweep.put_all(sorted(members & self.known)):
                    self._count(result)
                    if result.dataset is not None:
                        datasets.setdefault(result.dataset, set()).add(trial_id)
                sweep.end({key: sweep_status(ids, self._done, self._failures) for key, ids in datasets.items()})
        except MmptError as error:
            self._error = self._error or first_line(error)
        except Exception as error:  # noqa: BLE001 (whatever MLflow, its database driver or HTTP raise)
            self._error = self._error or first_line(error)
            self.unreachable = True

    def _count(self, result: Written) -> None:
        self._seen += 1
        self._written += result.new
        self._already += result.known
        error = result.unreadable or result.refused
        if error is not None:
            self._error = self._error or first_line(error)
        elif self._progress:
            self._progress(self._seen, self.total)

    def summary(self) -> TrackingSummary:
        """Count."""
        return TrackingSummary(
            written=self._written,
            already=self._already,
            missing=self.total - self._written - self._already,
            error=self._error,
            command=track_command(self._reader.store.root, self._uri),
        )
