"""Trials on several processes without ray: the test's own process leads, the others stay alive between trials."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import toys
from tasks import task_of

from orchestrator.plan import PlannedTrial
from orchestrator.sweep import Sweep
from results.schema import HistoryRow, TrialRecord
from results.store import Store
from search_spaces.spec import TrialSpec
from trainables.catalogs import DATASETS, ENCODERS, METHODS
from trainables.distributed import Meeting, joined, led
from trainables.task import TrialTask
from trainables.trial import Trial
from trainables.workers import Workers

HOST = "127.0.0.1"


def follow(config: dict[str, Any], workers: Workers) -> None:
    """Take part in a trial."""
    Trial(TrialTask.from_config(config), lambda: nullcontext(workers)).follow()


def _serve(connection: Connection) -> None:
    """Do what is asked for; an error is the answer."""
    torch.set_num_threads(1)
    for dataset in toys.DATASETS:
        DATASETS.add(dataset)
    ENCODERS.add(toys.NormalisingToy)
    for method in toys.METHODS:
        METHODS.add(method)
    while True:
        meeting, rank, function, arguments = connection.recv()
        try:
            with joined(meeting, rank, 0) as workers:
                connection.send(function(*arguments, workers))
        except Exception as error:  # noqa: BLE001
            connection.send(f"{type(error).__name__}: {error}")


def planned(spec: TrialSpec, root: Path, cache: Path) -> tuple[Store, PlannedTrial]:
    """Train what a trial requires; return the store and the trial."""
    sweep = Sweep([spec], store=root, tracking="none", cache=cache)
    sweep.store.prepare()
    for trial in sweep.plan().trials:
        if not trial.requested:
            list(Trial(task_of(trial, sweep.store, cache)).epochs())
    return sweep.store, next(trial for trial in sweep.plan().trials if trial.requested)


def assert_close(one: TrialRecord, other: TrialRecord) -> None:
    """Logits and losses are equal up to the rounding of float32 over a short training."""
    assert one.logits.keys() == other.logits.keys()
    for key, logits in one.logits.items():
        np.testing.assert_allclose(other.logits[key], logits, rtol=1e-4, atol=2e-5, err_msg=str(key))
    losses = [curves[curves["name"].str.startswith("train/")] for curves in (one.history, other.history)]
    np.testing.assert_allclose(losses[1]["value"], losses[0]["value"], rtol=1e-5)


class Followers:
    """Processes that follow this one; use as a context."""

    def __init__(self, most: int) -> None:
        context = multiprocessing.get_context("spawn")
        pairs = [context.Pipe() for _ in range(most)]
        self.connections = [ours for ours, _ in pairs]
        self.processes = [context.Process(target=_serve, args=(theirs,), daemon=True) for _, theirs in pairs]

    def __enter__(self) -> Self:
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    @contextmanager
    def led(self, number: int, function: Callable[..., Any], *arguments: Any) -> Iterator[Workers]:
        """Lead a meeting at which the others call `function(*arguments, workers)`; `answers` has what it returns."""
        self.asked = self.connections[: number - 1]

        def call(meeting: Meeting) -> None:
            for rank, connection in enumerate(self.asked, start=1):
                connection.send((meeting, rank, function, arguments))

        with led(HOST, number, 0, call) as workers:
            yield workers

    def answers(self) -> list[Any]:
        """Return what the others answered, an error as text."""
        return [connection.recv() if connection.poll(timeout=60) else "no answer" for connection in self.asked]

    def epochs(self, task: TrialTask, number: int) -> Iterator[list[HistoryRow]]:
        """Train a task with `number` workers."""
        return Trial(task, lambda: self.led(number, follow, task.to_config())).epochs()
