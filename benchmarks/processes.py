"""What processes use of a machine, for the benchmarks here; Linux only."""

import os
import threading
from pathlib import Path
from typing import Self

__all__ = ["PeakMemory", "family", "processor_seconds", "user_seconds"]


def family(process: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [process]
    for own in found:
        for task in Path(f"/proc/{own}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has used, 0 if it is gone."""
    return sum(_times(process))


def user_seconds(process: int) -> float:
    """Return how much of it was spent outside the kernel."""
    return _times(process)[0]


def _times(process: int) -> tuple[float, float]:
    """Seconds in user mode and in the kernel."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks, int(fields[12]) / ticks


class PeakMemory:
    """Samples the proportional memory of this process and its descendants; mapped files count by who uses them."""

    def __enter__(self) -> Self:
        self.anonymous_mib = self.proportional_mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            sums = [_memory_mib(process) for process in family(os.getpid())]
            self.proportional_mib = max(self.proportional_mib, sum(one[0] for one in sums))
            self.anonymous_mib = max(self.anonymous_mib, sum(one[1] for one in sums))


def _memory_mib(process: int) -> tuple[float, float]:
    try:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    except OSError:
        return 0.0, 0.0
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("Pss", "Pss_Anon"))  # type: ignore[return-value]
