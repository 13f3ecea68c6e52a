"""Which process on which machine: enough to tell later, from the same machine, that it is gone."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "this_process"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process, as itself describes it.

    Attributes:
        host: name of the machine, for people.
        pid: its number there.
        place: where that number means this process: one boot of one machine and one namespace of numbers; "" where
            the system does not say.
        started: when it began, in the system's own ticks: a number is given to another process later.
    """

    host: str
    pid: int
    place: str
    started: str

    @property
    def is_gone(self) -> bool:
        """True only if it certainly does not run any more; False also if that cannot be known from here."""
        return self.is_known_here and _started(self.pid) != self.started

    @property
    def is_known_here(self) -> bool:
        """True if the calling process can tell whether it is gone."""
        return bool(self.place) and self.place == _place()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def this_process() -> Process:
    """Describe the calling process."""
    return Process(host=socket.gethostname(), pid=os.getpid(), place=_place(), started=_started(os.getpid()))


def _place() -> str:
    """Containers may share a host's name and kernel, but not its process numbers."""
    try:
        return f"{_BOOT.read_text(encoding='ascii').strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process began; "" if there is none, or if it is dead and only its parent does not know yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "" if fields[0] in "ZX" else fields[19]
