"""How long the parts of a trial took."""

import time

__all__ = ["Clock"]


class Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End a part of this name."""
        now = time.perf_counter()
        self._laps[f"seconds/{name}"] = now - self._last
        self._last = now

    def seconds(self) -> dict[str, float]:
        """Return each part's seconds and those of all parts, by the names that the history has."""
        return {**self._laps, "seconds/total": self._last - self._started}
