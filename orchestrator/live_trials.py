"""Trials that run right now, with every point of their curves: what the tracking thread has to bring to MLflow."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.mlflow_text import TimedPoint, row_points
from results.schema import HistoryRow
from search_spaces.spec import TrialSpec

__all__ = ["LiveTrial", "LiveTrials"]


@dataclass(kw_only=True, eq=False)
class LiveTrial:
    """A running trial; `points` only grows, so a number of points says which of them are meant.

    Attributes:
        trial_id: of the trial.
        spec: what is run.
        points: its curves so far, each point once, with the time at which the driver heard of it.
        taken: how many of them MLflow has; None if it does not even know that the trial runs.
        kept: the same of the spool.
        turn: when it was last sent to MLflow, on the driver's monotonic clock.
        known: names and steps of the points.
    """

    trial_id: str
    spec: TrialSpec
    points: list[TimedPoint] = field(default_factory=list)
    taken: int | None = None
    kept: int | None = None
    turn: float = 0.0
    known: set[tuple[str, int]] = field(default_factory=set)

    @property
    def behind(self) -> bool:
        """True if MLflow lacks something of it."""
        return self.taken is None or self.taken < len(self.points)

    def first_unkept(self, again: bool) -> int:
        """Return the first point that neither MLflow nor the spool has; `again` does not count the spool."""
        return max(self.taken or 0, 0 if again else self.kept or 0)


class LiveTrials:
    """The trials that one driver trains; the driver adds, the tracking threads read and note what is written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trials: dict[str, LiveTrial] = {}

    def start(self, trial_id: str, spec: TrialSpec) -> None:
        """Add a trial, unless it goes on after its worker died."""
        with self._lock:
            self._trials.setdefault(trial_id, LiveTrial(trial_id=trial_id, spec=spec))

    def extend(self, trial_id: str, spec: TrialSpec, rows: Sequence[HistoryRow]) -> None:
        """Add epochs; of an epoch that a trial repeats after its worker died, the first values stay."""
        now = round(time.time() * 1000)
        with self._lock:
            live = self._trials.setdefault(trial_id, LiveTrial(trial_id=trial_id, spec=spec))
            new = {key: value for key, value in row_points(rows).items() if key not in live.known}
            live.known |= new.keys()
            live.points += [TimedPoint(*key, value, now) for key, value in new.items()]

    def end(self, trial_id: str) -> None:
        """Forget a trial: it is in the store, or no longer this driver's."""
        with self._lock:
            self._trials.pop(trial_id, None)

    def all(self) -> list[LiveTrial]:
        """Return the trials that run now."""
        with self._lock:
            return list(self._trials.values())

    def behind(self) -> list[LiveTrial]:
        """Return those of which MLflow lacks something: first those it does not know, then the longest unsent."""
        return sorted(
            (live for live in self.all() if live.behind), key=lambda live: (live.taken is not None, live.turn)
        )
