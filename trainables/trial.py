"""One trial from spec to store: data, model, training, probes, record. No ray: it runs anywhere torch does."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

import pandas as pd

from results.missing_masks import mask_fingerprint
from results.schema import HISTORY_SCHEMA, Floats, HistoryRow, LogitsKey, TrialRecord
from results.store import Failure, Store
from search_spaces.errors import MmptError
from search_spaces.spec import TrialSpec
from trainables.api import Method
from trainables.attempt import Problem, problem_of
from trainables.build import build_method, load_splits, open_prepared, required_weights
from trainables.clock import Clock
from trainables.dataset_identity import trust_fingerprint
from trainables.devices import Compute, set_up_compute
from trainables.evaluate import evaluate, features_of
from trainables.held_lease import HeldLease
from trainables.kept_model import pack_model
from trainables.loop import TrainingLoop
from trainables.provenance import provenance
from trainables.resolve import resolve
from trainables.resuming import resumed
from trainables.task import TrialTask
from trainables.workers import ALONE, Workers

__all__ = ["Trial"]


class Trial:
    """Runs one task. `epochs` yields history rows as they come; when it ends the trial is in the store.

    Args:
        task: what it is told.
        assembled: brings together the workers that train the trial, of which this process is one.

    Attributes:
        store: where it puts its results.
        resolved: what is run.
        found: True if another sweep has put it into the store, so that there was nothing to train.
    """

    def __init__(
        self, task: TrialTask, assembled: Callable[[], AbstractContextManager[Workers]] = lambda: nullcontext(ALONE)
    ) -> None:
        self.task = task
        self.assembled = assembled
        self.store = Store(task.store, patience_seconds=task.attempt.patience_seconds)
        self._lease = HeldLease(self.store, task.trial_id, task.attempt)
        spec = TrialSpec.from_config(task.spec)
        if task.fingerprint:
            trust_fingerprint(spec, task.fingerprint)
        self.resolved = resolve(spec)
        self.found = False

    def epochs(self) -> Generator[list[HistoryRow], None, None]:
        """Train, evaluate and store the trial; a failure of its own is kept in the store before it is raised.

        A trial that another sweep finished in the meantime is not trained again.

        Raises:
            MmptError: the code here gives the spec another id than planning did.
            TrialLeasedError: another sweep trains the trial right now.
            LeaseLostError: another sweep has taken it over; nothing was stored.
            StoreFullError, StoreUnavailableError: the store fails; what it has is whole.
        """
        with self._lease:
            self.store.clear_failure(self.task.trial_id)
            try:
                self._check_identity()
                self.found = self._is_done()
                if not self.found:
                    yield from self._epochs()
            except Exception as error:
                self._keep(problem_of(error))
                raise

    def _keep(self, problem: Problem) -> None:
        if problem.cause in {"method", "gpu_memory"}:
            self.store.write_failure(
                Failure(
                    trial_id=self.task.trial_id,
                    error=problem.error,
                    traceback=problem.traceback,
                    spec=self.resolved.spec.to_config(),
                    earlier=tuple(self.task.attempt.errors),
                )
            )

    def follow(self) -> None:
        """Do a worker's share of a trial that another worker leads and stores."""
        with self.assembled() as workers:
            self._check_identity()
            for _ in self._trained(workers):
                pass

    def _check_identity(self) -> None:
        if self.resolved.trial_id != self.task.trial_id:
            raise MmptError(
                f"trial {self.task.trial_id} is {self.resolved.trial_id} on this worker: "
                "its code or data differ from the driver's"
            )

    def _is_done(self) -> bool:
        models = self.store.model_ids() if self.task.keep_model else {self.task.trial_id}
        return self.task.trial_id in models and self.store.is_done(self.task.trial_id)

    def _epochs(self) -> Iterator[list[HistoryRow]]:
        with self.assembled() as workers:
            yield from self._trained(workers)

    def _trained(self, workers: Workers) -> Iterator[list[HistoryRow]]:
        clock = Clock()
        task, resolved = self.task, self.resolved
        compute = set_up_compute(task.cpus, task.gpus, workers)
        prepared = open_prepared(resolved, task.cache, task.data_root, task.shared_cache)
        splits = load_splits(prepared, resolved, compute)
        method = build_method(resolved, compute)
        received, required_scores = required_weights(self.store, task.requires, method, splits["val"])
        method.receive(received)
        clock.lap("setup")
        history: list[HistoryRow] = []
        facts: dict[str, float] = {"best_epoch": 0}
        if method.trains:
            main = next((one for one in resolved.reports if splits["train"].has(one).any()), resolved.reports[0])
            loop = TrainingLoop(method, splits["train"], splits["val"], main, compute)
            yield from resumed(loop, task, self.store, self._lease.check)
            history, facts = loop.history, loop.facts()
        clock.lap("train")
        if not workers.leads:
            features_of(method, splits, resolved.used, compute)
            return
        evaluation = evaluate(method, splits, resolved.used, compute)
        clock.lap("evaluate")
        self._lease.check()
        if task.keep_model:
            self.store.write_model(task.trial_id, pack_model(method, evaluation))
        self.store.write_samples(prepared.to_samples(resolved.spec.dataset))
        facts |= {
            **clock.seconds(),
            **{f"required/{name}/val_score": value for name, value in required_scores.items()},
            **_sizes(method, compute),
        }
        history += [*evaluation.history, *(HistoryRow(None, name, value) for name, value in facts.items())]
        units = {name: prepared.scored(name) for name in ("val", "test")}
        logits = {key: units[key.split].pooled(values) for key, values in evaluation.logits.items()}
        train = splits["train"]
        about = {
            "device": str(compute.device.type),
            "mask_fingerprint": mask_fingerprint(train.sample_ids, train.modalities, train.available),
        }
        self.store.write_trial(self._record(logits, history, {name: unit.ids for name, unit in units.items()}, about))

    def _record(
        self,
        logits: Mapping[LogitsKey, Floats],
        history: list[HistoryRow],
        sample_ids: Mapping[str, list[str]],
        about: Mapping[str, str],
    ) -> TrialRecord:
        resolved = self.resolved
        facts = {**resolved.facts(), **about, "provenance": provenance()}
        if self.task.attempt.errors:
            facts["earlier_attempts"] = list(self.task.attempt.errors)
        frame = pd.DataFrame(history, columns=HISTORY_SCHEMA.names).astype({"epoch": "Int32", "samples": "Int64"})
        return TrialRecord(
            trial_id=self.task.trial_id,
            spec=resolved.spec,
            facts=facts,
            logits=logits,
            sample_ids=sample_ids,
            history=frame,
        )


def _sizes(method: Method, compute: Compute) -> dict[str, float]:
    """Return how large a trial is: its model, the memory it took here, and how many workers shared it."""
    return {
        "workers": compute.workers.number,
        "parameters/trainable": sum(p.numel() for p in method.parameters() if p.requires_grad),
        "parameters/total": sum(p.numel() for own in (method, *method.frozen.values()) for p in own.parameters()),
        **compute.memory(),
    }
