"""The processes that read raw files: plain children of this one that start early and end with it, however it ends."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Any, Self

import cloudpickle  # a user's own reader may be defined in a script or a notebook

from search_spaces.errors import MmptError
from trainables.preparing.filling import Chunk, Filled, Work, fill
from trainables.preparing.reader import Reader

__all__ = ["Crew", "CrewError", "start_spares"]

_SPARES: list[tuple[Connection, subprocess.Popen[bytes]]] = []
_AHEAD = 2  # chunks that a worker has: one that it reads, and one so that it need not wait for the next


class CrewError(MmptError):
    """A process that reads raw files ended, or failed, before its work was done."""


class Crew:
    """Some workers, each behind a pipe of its own; without any, this process reads the files itself.

    They are started as a program of their own instead of by `multiprocessing`: so they import neither the user's script
    nor what this process has loaded, nothing has to be forked beside threads, and a pipe whose other end is closed
    tells them that this process is gone. Leave the context to end them.

    Args:
        readers: modality -> reader; workers import what these need while the raw data is still being listed.
    """

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self._workers: dict[Connection, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = [*self._workers.items(), *_SPARES]
        _SPARES.clear()
        for line, _ in ended:
            line.close()
        for _, process in ended:
            process.wait()  # at most for the chunk that it is reading

    def grow(self, count: int) -> None:
        """Start workers until there are `count`."""
        for _ in range(len(self._workers), _of_use(count)):
            line, process = _SPARES.pop() if _SPARES else _start()
            self._workers[line] = process
            self._tell(line, self._readers)

    def fill(self, work: Work, chunks: Iterable[Chunk]) -> Iterator[Filled]:
        """Yield what came of each chunk, as it is finished.

        Raises:
            OSError: the file cannot be written.
            CrewError: a worker was killed, or failed otherwise.
        """
        if not self._workers:
            yield from (fill(work, chunk) for chunk in chunks)
            return
        left = iter(chunks)
        for line in self._workers:
            self._tell(line, work)
        reading: Counter[Connection] = Counter()
        for line in [*self._workers] * _AHEAD:
            self._hand_out(line, left, reading)
        while reading:
            for ready in wait(list(reading)):
                assert isinstance(ready, Connection)
                filled = self._answer(ready)
                reading -= Counter([ready])
                self._hand_out(ready, left, reading)
                yield filled

    def _hand_out(self, line: Connection, left: Iterator[Chunk], reading: Counter[Connection]) -> None:
        if (chunk := next(left, None)) is not None:
            self._tell(line, chunk)
            reading[line] += 1

    def _tell(self, line: Connection, what: Any) -> None:
        try:
            line.send_bytes(cloudpickle.dumps(what))
        except ConnectionError as error:
            raise self._lost(line) from error

    def _answer(self, line: Connection) -> Filled:
        try:
            answer = line.recv()
        except (EOFError, ConnectionError) as error:
            raise self._lost(line) from error
        if isinstance(answer, OSError):
            raise answer
        if isinstance(answer, str):
            raise CrewError(f"a process that reads raw files failed: {answer}")
        assert isinstance(answer, Filled)
        return answer

    def _lost(self, line: Connection) -> CrewError:
        code = self._workers[line].wait()
        why = "most likely for want of memory; try --workers 1" if code < 0 else "see its message above"
        return CrewError(f"a process that reads raw files ended with code {code}: {why}")


def start_spares(count: int) -> None:
    """Start workers before it is known what they will read; a `Crew` takes them, and ends those it does not use."""
    _SPARES.extend(_start() for _ in range(len(_SPARES), _of_use(count)))


def _of_use(count: int) -> int:
    """Return how many workers are of use: a single one would only do what this process can."""
    return count if count > 1 else 0


def _start() -> tuple[Connection, subprocess.Popen[bytes]]:
    ours, theirs = Pipe()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TOKENIZERS_PARALLELISM": "false",  # the processes are the parallelism
    }
    descriptor = theirs.fileno()
    command = [sys.executable, "-m", "trainables.preparing.worker", str(descriptor)]
    process = subprocess.Popen(  # noqa: S603 (this very program)
        command, env=environment, pass_fds=[descriptor], stdin=subprocess.DEVNULL
    )
    theirs.close()
    return ours, process
