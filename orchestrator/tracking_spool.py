"""Curves of unfinished trials that MLflow has not taken, kept in the store, and which drivers are writing there."""

import json
import os
import socket
import time
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.live_trials import LiveTrial
from orchestrator.mlflow_text import TimedPoint
from orchestrator.tracking_uri import redact
from results.files import Files, StoreError
from search_spaces.spec import TrialSpec, canonical_json, content_hash

__all__ = ["BEAT_SECONDS", "Left", "Spool", "left_behind", "other_writers"]

BEAT_SECONDS = 30.0
_LEASE_SECONDS = 4 * BEAT_SECONDS
_FOLDER, _WRITER = "tracking", "writer.json"


class Spool:
    """One writer's folder, `tracking/<sweep>/<writer>/`: `writer.json` says that it lives, segments what MLflow lacks.

    Segments (`1.json`, `2.json`, ...) are written whole and never changed. Every method raises OSError if the store
    cannot be written.

    Args:
        files: the store's files.
        sweep: the sweep's name in MLflow.
        uri: where MLflow is; only a hash of it, without credentials, gets into the store.
    """

    def __init__(self, files: Files, sweep: str, uri: str) -> None:
        self.name = uuid.uuid4().hex
        self.since = time.time()
        self._files = files
        self._folder = (*_sweep_folder(sweep), self.name)
        self._target = _target(uri)
        self._written = self._removed = 0
        self._next_beat = 0.0

    @property
    def segments(self) -> int:
        """How many segments there are."""
        return self._written - self._removed

    def beat(self) -> None:
        """Say that this writer lives, if it is time to say so again."""
        if time.monotonic() >= self._next_beat:
            self._sign(time.time())
            self._next_beat = time.monotonic() + BEAT_SECONDS

    def keep(self, points: Mapping[LiveTrial, tuple[TimedPoint, ...]]) -> None:
        """Write one more segment."""
        trials = {live.trial_id: {"spec": live.spec.to_config(), "points": new} for live, new in points.items()}
        self._files.write(canonical_json({"trials": trials}).encode(), *self._folder, f"{self._written + 1}.json")
        self._written += 1

    def clear(self, keep_last: int = 0) -> None:
        """Delete all segments but the last few: MLflow has what they hold, or those do."""
        while self.segments > keep_last:
            self._files.remove(*self._folder, f"{self._removed + 1}.json")
            self._removed += 1

    def leave(self) -> None:
        """Say that this writer is done; what it has spooled stays for others to write."""
        if self.segments:
            self._sign(0.0)
        else:
            self._files.remove(*self._folder)

    def _sign(self, beat: float) -> None:
        about: dict[str, object] = {"host": socket.gethostname(), "pid": os.getpid(), "target": self._target}
        about |= {"since": self.since, "beat": beat}
        self._files.write(canonical_json(about).encode(), *self._folder, _WRITER)


@dataclass(frozen=True, kw_only=True)
class Left:
    """A writer's folder as others see it."""

    files: Files
    folder: tuple[str, ...]
    target: str
    host: str
    pid: int
    since: float
    beat: float

    @property
    def alive(self) -> bool:
        """True if it said so lately and, where that can be known, its process exists."""
        if time.time() - self.beat > _LEASE_SECONDS:
            return False
        return self.host != socket.gethostname() or _exists(self.pid)

    def trials(self) -> dict[str, LiveTrial]:
        """Return the unfinished trials that it has spooled, by id.

        Raises:
            StoreError: a segment is damaged.
        """
        found: dict[str, LiveTrial] = {}
        for name in self.files.names(*self.folder):
            if name != _WRITER:
                for trial_id, content in self._segment(name).items():
                    spec = TrialSpec.from_config(content["spec"])
                    live = found.setdefault(trial_id, LiveTrial(trial_id=trial_id, spec=spec))
                    live.points += [TimedPoint(*point) for point in content["points"]]
        return found

    def is_for(self, uri: str) -> bool:
        """Tell whether what it has spooled was meant for this MLflow."""
        return self.target == _target(uri)

    def forget(self) -> None:
        """Delete the folder."""
        self.files.remove(*self.folder)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def _segment(self, name: str) -> dict[str, dict[str, Any]]:
        try:
            trials: dict[str, dict[str, Any]] = json.loads(self.files.read(*self.folder, name))["trials"]
        except FileNotFoundError:
            return {}  # its writer has just deleted it: MLflow has it
        except (ValueError, KeyError, TypeError) as error:
            path = self.files.path(*self.folder, name)
            raise StoreError(
                f"{path} is damaged ({error!r}); delete it, it only holds curves of unfinished trials"
            ) from error
        return trials


def left_behind(files: Files, sweep: str) -> list[Left]:
    """Return the folders of a sweep's writers, of those that are gone and of those that live."""
    folder = _sweep_folder(sweep)
    found = []
    for name in files.names(*folder):
        try:
            about = json.loads(files.read(*folder, name, _WRITER))
            found.append(Left(files=files, folder=(*folder, name), **about))
        except FileNotFoundError:
            continue  # it is leaving at this moment
    return found


def other_writers(files: Files, sweep: str, uri: str, own: Spool) -> list[Left]:
    """Return who else writes this sweep to this MLflow now, the longest at it first; `own` is the asker's spool."""
    others = (left for left in left_behind(files, sweep) if left.folder[-1] != own.name)
    return sorted((left for left in others if left.alive and left.is_for(uri)), key=lambda left: left.since)


def _sweep_folder(sweep: str) -> tuple[str, str]:
    return _FOLDER, urllib.parse.quote(sweep, safe="")


def _target(uri: str) -> str:
    return content_hash({"mlflow": redact(uri)})


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
