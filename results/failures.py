"""Why trials failed: one small file each, kept until the trial succeeds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from results.files import Files

__all__ = ["Failure", "Failures"]

_FAILURES = "failures"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a trial failed.

    Attributes:
        trial_id: of the trial.
        error: the error's class and text.
        traceback: where it was raised.
        spec: what was run.
        earlier: errors of the attempts before this one in the same sweep.
    """

    trial_id: str
    error: str
    traceback: str
    spec: Mapping[str, Any]
    earlier: Sequence[str] = ()

    def __str__(self) -> str:
        attempts = len(self.earlier) + 1
        return self.error if attempts == 1 else f"{self.error} (after {attempts} attempts)"


class Failures:
    """A store's failure files, `failures/<id>.json`."""

    files: Files

    def write_failure(self, failure: Failure) -> None:
        """Keep why a trial failed."""
        data = json.dumps(vars(failure), sort_keys=True, indent=1).encode()
        self.files.write(data, _FAILURES, f"{failure.trial_id}.json")

    def clear_failure(self, trial_id: str) -> None:
        """Forget an earlier failure, since the trial is tried again."""
        self.files.remove_file(_FAILURES, f"{trial_id}.json")

    def stored_failures(self) -> dict[str, Failure]:
        """Return every failure on file, also of trials that have succeeded since.

        Files that are no whole failure are left out: another writer may be at work, and a lost reason only means that
        the trial counts as not tried.
        """
        names = [name for name in self.files.names(_FAILURES) if name.endswith(".json")]
        content = self.files.read_many([(_FAILURES, name) for name in names])
        found = {name.removesuffix(".json"): _read_failure(data) for (_, name), data in content.items()}
        return {key: failure for key, failure in found.items() if failure is not None and failure.trial_id == key}


def _read_failure(data: bytes) -> Failure | None:
    """Read one file; fields that a newer version has added are ignored."""
    try:
        content = json.loads(data)
        known = {field.name for field in fields(Failure)}
        kept = {name: value for name, value in content.items() if name in known}
        failure = Failure(**{**kept, "earlier": tuple(kept.get("earlier", ()))})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    texts = (failure.trial_id, failure.error, failure.traceback)
    return failure if all(isinstance(text, str) for text in texts) and isinstance(failure.spec, dict) else None
