"""A sweep whose trials take seconds and write down every epoch, as a process that can be killed in any of its parts.

Run as a script it is the driver: `python chaos.py STORE CACHE`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import toys

from orchestrator import sweep as sweep_module
from orchestrator.execution import Execution
from orchestrator.plan import PlannedTrial, make_plan
from orchestrator.progress import ProgressDisplay, SteadyConsole
from orchestrator.sweep import Sweep
from search_spaces.errors import MmptError
from trainables.api import MethodCard
from trainables.catalogs import DATASETS, METHODS
from trainables.methods.naive import Naive
from trainables.task import TrialTask

VICTIMS = ("driver", "actor", "raylet")
EPOCHS, EPOCH_SECONDS = 8, 0.25
LONGEST_SECONDS = 240.0
_LOG = "MMPT_CHAOS_LOG"


class Logged(Naive):
    """Appends a line per epoch to a file, and takes its time."""

    card = MethodCard(title="Logged", paper="none", idea="write down every epoch")

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        line = f"{self.spec.seed} {epoch} {os.getpid()} {time.time()}\n"
        handle = os.open(os.environ[_LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line.encode())  # one write: lines of several processes do not mix
        os.close(handle)
        time.sleep(EPOCH_SECONDS)


class OftenSaved(Execution):
    """Trials that save their state after every epoch."""

    def task(self, trial: PlannedTrial) -> TrialTask:
        return replace(super().task(trial), checkpoint_seconds=0)


class Epoch(NamedTuple):
    """A line of the log."""

    seed: int
    epoch: int
    pid: int
    began: float


SPECS = [toys.spec("logged", seed=seed, epochs=EPOCHS) for seed in range(6)]


@dataclass(frozen=True)
class Driver:
    """One sweep's store and log, and the command that works on it."""

    folder: Path
    cache: Path

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, _LOG: str(self.log), "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, __file__, str(self.store), str(self.cache)]
        self.folder.mkdir(exist_ok=True)
        return subprocess.Popen(
            command,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def epochs(self) -> list[Epoch]:
        """Every epoch that any process has begun."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        parts = [line.split() for line in lines]
        return [Epoch(int(seed), int(epoch), int(pid), float(began)) for seed, epoch, pid, began in parts]

    def trained_after_done(self) -> list[Epoch]:
        """Epochs of trials that were done already."""
        ids = {trial.spec.seed: trial.trial_id for trial in planned()}
        done = {seed: (self.store / "trials" / trial_id / "DONE").stat().st_mtime for seed, trial_id in ids.items()}
        return [epoch for epoch in self.epochs() if epoch.began > done[epoch.seed]]

    def trained_at_once(self) -> list[int]:
        """Seeds of trials that two processes trained by turns."""
        return sorted(seed for seed in {one.seed for one in self.epochs()} if self._by_turns(seed))

    def _by_turns(self, seed: int) -> bool:
        pids = [one.pid for one in self.epochs() if one.seed == seed]
        changes = sum(one != other for one, other in pairwise(pids))
        return changes + 1 != len(set(pids))


def planned() -> tuple[PlannedTrial, ...]:
    """The trials of the sweep, in a process that may not know the toys yet."""
    METHODS.add(Logged)
    for dataset in toys.DATASETS:
        DATASETS.add(dataset)
    return make_plan("chaos", SPECS).trials


class Kill(NamedTuple):
    """A victim, and when it is killed, from the sweep's first epoch on."""

    victim: str
    after_seconds: float

    def __str__(self) -> str:
        return f"{self.victim} after {self.after_seconds:.1f} s"


class Round(NamedTuple):
    """What came of a disturbed sweep: how long it took, how often it was started, which kills found their victim."""

    seconds: float
    starts: int
    hits: list[Kill]
    repeated: int
    said: str


def disturb(driver: Driver, kills: Iterable[Kill]) -> Round:
    """Work off a sweep and kill parts of it meanwhile; start a driver that was killed again."""
    began, hits = time.monotonic(), []
    process = driver.start()
    wait_for(driver.epochs)
    first_epoch = time.monotonic()
    for kill in kills:
        time.sleep(max(0.0, first_epoch + kill.after_seconds - time.monotonic()))
        for pid in find(kill.victim, process, driver):
            os.kill(pid, signal.SIGKILL)
            hits.append(kill)
    said, starts = process.communicate(timeout=LONGEST_SECONDS)[0], 1
    while process.returncode != 0 and starts <= len(hits):
        process, starts = driver.start(), starts + 1
        said += process.communicate(timeout=LONGEST_SECONDS)[0]
    repeated = len(driver.epochs()) - len(SPECS) * EPOCHS
    return Round(time.monotonic() - began, starts, hits, repeated, said)


def find(victim: str, process: subprocess.Popen[str], driver: Driver) -> Iterable[int]:
    """Process numbers of a victim that is alive: none if it has ended by itself."""
    if process.poll() is not None:
        return []
    if victim == "driver":
        return [process.pid]
    if victim == "actor":
        return [pid for pid in [driver.epochs()[-1].pid] if Path(f"/proc/{pid}").exists()]
    name = {"raylet": "raylet/raylet", "head": "gcs/gcs_server"}[victim]
    return [pid for pid in children(process.pid) if name in Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]]


def children(parent: int) -> list[int]:
    threads = Path(f"/proc/{parent}/task").iterdir()
    return [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]


def wait_for(condition: object, seconds: float = LONGEST_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def drawn_kills(number: int, seed: int, training_seconds: float) -> list[Kill]:
    """Victims and moments, drawn; early enough that a victim has not ended by itself."""
    random = Random(seed)
    return [Kill(random.choice(VICTIMS), random.uniform(0, 0.6 * training_seconds)) for _ in range(number)]


def main(store: str, cache: str) -> int:
    """Be the driver."""
    sweep_module.Execution = OftenSaved  # type: ignore[misc]
    sweep = Sweep(SPECS, store=store, cache=cache, tracking="none", methods=[Logged], datasets=list(toys.DATASETS))
    try:
        outcome = sweep.run(listeners=[ProgressDisplay(SteadyConsole())])
    except MmptError as error:
        print(f"mmpt: {error}")
        return error.exit_code
    return 1 if outcome.failed or outcome.skipped or outcome.pending else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
