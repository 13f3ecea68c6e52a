"""What reached MLflow, in words: counts, the first error without credentials, and the command that writes the rest."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.tracking_uri import redact

__all__ = ["TrackingSummary", "first_line", "sweep_status", "track_command"]


@dataclass(frozen=True, kw_only=True)
class TrackingSummary:
    """What reached MLflow.

    Attributes:
        written: finished and failed trials that were written.
        already: those that were there before, whole.
        missing: those that could not be written.
        spooled: trials that were interrupted, whose curves MLflow lacks and the store keeps.
        error: the first reason, in one line without credentials; None if nothing is missing.
        command: writes what is missing, later.
    """

    written: int
    already: int = 0
    missing: int
    spooled: int = 0
    error: str | None
    command: str

    def __str__(self) -> str:
        if not self.missing and not self.spooled and self.error is None:
            return f"MLflow has all {self.written + self.already} trials"
        lacks = [f"{self.missing} trials"] if self.missing or not self.spooled else []
        lacks += [f"curves of {self.spooled} interrupted ones, which are spooled in the store"] if self.spooled else []
        return f"MLflow lacks {' and '.join(lacks)} ({self.error}); write them later: {self.command}"


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
