"""Which chunks of a half-written cache file are there, so that a killed attempt is gone on with."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from trainables.preparing.filling import Filled

__all__ = ["Journal"]

_LAYOUT = "1"
"""Raise it whenever the half-written files of an earlier version cannot be gone on with."""


class Journal:
    """The chunks that are in the file, one line each, behind a line that says what they are of.

    Args:
        path: its file.
        digest: of the index; the chunks of another index are of no use.
        chunk: samples per chunk; likewise.

    Attributes:
        goes_on: True if an earlier attempt at the same left a journal.
    """

    def __init__(self, path: Path, digest: str, chunk: int) -> None:
        self._path = path
        self._header = json.dumps({"layout": _LAYOUT, "index": digest, "chunk": chunk})
        self._lines = path.read_text().splitlines() if path.exists() else []
        self.goes_on = bool(self._lines) and self._lines[0] == self._header

    def begin(self) -> None:
        """Start anew."""
        self._path.write_text(self._header + "\n")
        self._lines = [self._header]

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
