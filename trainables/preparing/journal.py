"""Which chunks of a half-written cache file are there, so that a killed attempt is gone on with."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from trainables.preparing.filling import Filled

__all__ = ["Journal"]

_LAYOUT = "2"
"""Raise it whenever the half-written files of an earlier version cannot be gone on with."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Journal:
    """The chunks that are in the file, one line each, behind a line that says what they are of.

    Args:
        path: its file.
        digest: of the index; the chunks of another index are of no use.
        chunk: samples per chunk; likewise.

    Attributes:
        goes_on: True if an earlier attempt at the same left a journal.
        is_certain: True if the machine has not been restarted since. What a killed process wrote is in the system's
            memory and cannot be lost otherwise, so its chunks need not be read to see whether they are intact.
    """

    def __init__(self, path: Path, digest: str, chunk: int) -> None:
        self._path = path
        self._header = [_LAYOUT, digest, chunk, _boot()]
        self._lines = path.read_text().splitlines() if path.exists() else []
        *of, boot = _header(self._lines)
        self.goes_on = of == self._header[:-1]
        self.is_certain = self.goes_on and boot == self._header[-1]

    def begin(self) -> None:
        """Start anew."""
        self._lines = [json.dumps(self._header)]
        self._path.write_text(self._lines[0] + "\n")

    def filled(self) -> Iterator[Filled]:
        """Yield the chunks of an earlier attempt; the last line of a killed one may be cut."""
        for line in self._lines[1:]:
            try:
                known = json.loads(line)
                yield Filled(**{**known, "issues": [(code, where) for code, where in known["issues"]]})
            except (ValueError, TypeError, KeyError):
                return

    def add(self, filled: Filled) -> None:
        """Append a chunk."""
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(filled)) + "\n")

    def end(self) -> None:
        """Forget it: the file is complete."""
        self._path.unlink()


def _header(lines: list[str]) -> list[object]:
    try:
        found = json.loads(lines[0])
    except (ValueError, IndexError):
        found = None
    return found if isinstance(found, list) and found else [None]


def _boot() -> str:
    """Return what changes whenever the machine starts; something that is never equal where that is unknown."""
    return _BOOT.read_text().strip() if _BOOT.exists() else secrets.token_hex()
