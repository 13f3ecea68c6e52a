"""Live progress on a terminal, one line per trial everywhere else."""

import os
import sys
import time
from collections.abc import Collection, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestrator.events import Listener, Outcome
from orchestrator.plan import Plan, PlannedTrial
from results.schema import HistoryRow
from search_spaces.missing_rates import INDEPENDENT

__all__ = ["ProgressDisplay", "SteadyConsole", "describe", "varying_axes"]

_SCORE = "val/macro_f1"
_PLAIN_AXES = ("dataset", "fusion", "learning_rate", "batch_size", "epochs", "weight_decay", "schedule", "warmup")


class SteadyConsole(Console):
    """A console that goes quiet when nobody reads it any more: `mmpt run ... | head` must not end a sweep."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from now on."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def describe(trial: PlannedTrial, varying: Collection[str] = ()) -> str:
    """Name a trial in a few words: method, its own parameters, p_train and its protocol, the `varying` axes, seed."""
    spec = trial.spec
    parts = [spec.method, *(f"{name}={value}" for name, value in spec.method_params.items())]
    if spec.p_train:
        parts.append(f"p_train={spec.p_train}")
    if spec.missing != INDEPENDENT:
        parts.append(f"missing={spec.missing}")
    parts += [f"{name}={getattr(spec, name)}" for name in _PLAIN_AXES if name in varying]
    return " ".join([*parts, f"seed={spec.seed}"])


def varying_axes(trials: Collection[PlannedTrial]) -> frozenset[str]:
    """Return the axes in which trials differ, so that a label can tell them apart."""
    return frozenset(name for name in _PLAIN_AXES if len({getattr(trial.spec, name) for trial in trials}) > 1)


class ProgressDisplay(Listener):
    """Shows done, running, failed and cached trials, the time left and the best score so far.

    Args:
        console: where to; a terminal gets a live bar, a pipe or a log plain lines without control codes.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Progress | None = None
        self._varying: frozenset[str] = frozenset()
        self._total = self._done = self._failed = self._skipped = 0
        self._running: set[str] = set()
        self._began = 0.0
        self._started = 0.0  # of the first trial: starting workers says nothing about the time left
        self._scores: dict[str, float] = {}
        self._best: tuple[float, str] | None = None

    def sweep_started(self, plan: Plan) -> None:
        """Show what is planned."""
        self._total = len(plan.todo)
        self._varying = varying_axes(plan.trials)
        self._began = time.monotonic()
        self._console.print(
            f"{plan.name}: {len(plan.trials)} trials, {len(plan.done)} cached, {self._total} to train", highlight=False
        )
        if self._console.is_terminal and self._total:
            self._live = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[status]}"),
                console=self._console,
            )
            self._task = self._live.add_task("training", total=self._total, status="starting workers")
            self._live.start()

    def waiting(self, what: str, seconds: float) -> None:
        """Say what is waited for, so that nobody takes a full cluster for a hanging sweep."""
        self._console.print(f"waiting for {what}, {seconds:.0f} s so far", highlight=False, markup=False)

    def trial_started(self, trial: PlannedTrial) -> None:
        """Count it as running."""
        if not self._started:
            self._started = time.monotonic()
        self._running.add(trial.trial_id)
        self._refresh()

    def trial_progressed(self, trial: PlannedTrial, rows: Sequence[HistoryRow]) -> None:
        """Remember the best validation score."""
        scores = [row.value for row in rows if row.name == _SCORE]
        if scores:
            best = max(*scores, self._scores.get(trial.trial_id, 0.0))
            self._scores[trial.trial_id] = best
            if self._best is None or best > self._best[0]:
                self._best = (best, trial.spec.method)

    def trial_finished(self, trial: PlannedTrial) -> None:
        """Count it as done."""
        self._running.discard(trial.trial_id)
        self._done += 1
        score = self._scores.get(trial.trial_id)
        self._line(trial, "done" if score is None else f"validation macro F1 {100 * score:.1f}")

    def trial_retried(self, trial: PlannedTrial, error: str) -> None:
        """Say what ended its attempt."""
        self._running.discard(trial.trial_id)
        self._line(trial, f"is tried again: {error}" if error else "is free again", always=True)

    def trial_elsewhere(self, trial: PlannedTrial, holder: str) -> None:
        """Say who trains it."""
        self._running.discard(trial.trial_id)
        self._line(trial, f"running in another sweep ({holder})", always=True)

    def trial_found(self, trial: PlannedTrial) -> None:
        """Count it as done."""
        self._running.discard(trial.trial_id)
        self._done += 1
        self._line(trial, "done by another sweep")

    def trial_failed(self, trial: PlannedTrial, error: str) -> None:
        """Show the error at once."""
        self._running.discard(trial.trial_id)
        self._failed += 1
        self._line(trial, f"FAILED: {error}", always=True)

    def trial_skipped(self, trial: PlannedTrial, because: str) -> None:
        """Say which failure it waited for."""
        self._skipped += 1
        self._line(trial, f"skipped: it requires {because}, which failed", always=True)

    def sweep_ended(self, outcome: Outcome) -> None:
        """Leave a summary."""
        if self._live:
            self._refresh()
            self._live.stop()
        seconds = time.monotonic() - self._began
        counts = [f"{len(outcome.trained)} trained", f"{len(outcome.done) - len(outcome.trained)} cached"]
        counts += [
            f"{len(items)} {word}"
            for word, items in (("failed", outcome.failed), ("skipped", outcome.skipped), ("not run", outcome.pending))
            if items
        ]
        self._console.print(f"{', '.join(counts)} in {seconds:.0f} s", highlight=False)

    @property
    def _status(self) -> str:
        parts = [f"{len(self._running)} running"] + ([f"{self._failed} failed"] if self._failed else [])
        left = self._seconds_left()
        parts += [f"about {left:.0f} s left"] if left is not None else []
        parts += [f"best {100 * self._best[0]:.1f} ({self._best[1]})"] if self._best else []
        return ", ".join(parts)

    def _seconds_left(self) -> float | None:
        ended = self._done + self._failed + self._skipped
        if not ended or ended == self._total:
            return None
        return (time.monotonic() - self._started) / ended * (self._total - ended)

    def _line(self, trial: PlannedTrial, text: str, *, always: bool = False) -> None:
        self._refresh()
        if self._live and not always:
            return
        ended = self._done + self._failed + self._skipped
        left = self._seconds_left()
        eta = f", about {left:.0f} s left" if left is not None else ""
        self._console.print(
            f"[{ended}/{self._total}] {describe(trial, self._varying)}: {text}{eta}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def _refresh(self) -> None:
        if self._live:
            ended = self._done + self._failed + self._skipped
            self._live.update(self._task, completed=ended, status=self._status)
