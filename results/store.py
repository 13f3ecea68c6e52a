"""The store: one folder per finished trial, the only source of every table, figure and MLflow run."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from results.files import Files, StoreError
from results.parquet import logits_table, read_logits, read_samples, samples_bytes
from results.schema import (
    HISTORY_SCHEMA,
    SCHEMA_VERSION,
    Samples,
    SchemaError,
    TrialRecord,
    check_version,
    read_parquet,
    write_parquet,
)
from results.weights import CHECKPOINTS as _CHECKPOINTS
from results.weights import Weights
from search_spaces.errors import MmptError
from search_spaces.spec import TrialSpec, canonical_json

__all__ = ["CorruptTrialError", "Failure", "Store"]

_TRIALS, _DATASETS, _FAILURES = "trials", "datasets", "failures"
_DONE, _SPEC, _LOGITS, _HISTORY = "DONE", "spec.json", "logits.parquet", "history.parquet"


class CorruptTrialError(StoreError):
    """A trial whose files do not have the content they were written with; it counts as not done."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a trial failed: the error's class and text, its traceback and the spec that was run."""

    trial_id: str
    error: str
    traceback: str
    spec: Mapping[str, Any]


class Store(Weights):
    """Results under an absolute path or a bucket URL. Safe to share: nothing is ever half-written.

    Layout: `trials/<id>/{spec.json, logits.parquet, history.parquet, DONE}`, `datasets/<fingerprint>/samples.parquet`,
    `failures/<id>.json`, `checkpoints/<id>.safetensors`, `models/<id>.safetensors`.

    Raises:
        StoreError: the root is relative or its URL has no file system.
        SchemaError: a newer version of this program wrote the store.
    """

    def __init__(self, root: str) -> None:
        self.files = Files(root)
        self.root = root
        if self.files.exists("store.json"):
            marker = json.loads(self.files.read("store.json"))
            check_version(int(marker["schema_version"]), f"store {root}")

    def prepare(self) -> None:
        """Create the store if need be and prove that it can be written.

        Raises:
            StoreError: it cannot; the message says why.
        """
        marker = canonical_json({"schema_version": SCHEMA_VERSION}).encode()
        try:
            self.files.write(marker, "store.json")
        except OSError as error:
            raise StoreError(f"store {self.root!r} cannot be written: {error.strerror or error}") from error

    # -- trials ------------------------------------------------------------------------------------------------------

    def write_trial(self, record: TrialRecord) -> None:
        """Make a finished trial appear, whole, and forget its earlier failure and its checkpoint."""
        about = dict(record.facts.get("provenance", {}))
        history = pa.Table.from_pandas(record.history, schema=HISTORY_SCHEMA, preserve_index=False)
        spec = {"schema_version": SCHEMA_VERSION, "spec": record.spec.to_config(), "facts": dict(record.facts)}
        content = {
            _SPEC: json.dumps(spec, sort_keys=True, indent=1).encode(),
            _LOGITS: write_parquet(logits_table(record), about),
            _HISTORY: write_parquet(history, about),
        }
        sums = {name: zlib.crc32(data) for name, data in content.items()}
        content[_DONE] = json.dumps({"schema_version": SCHEMA_VERSION, "crc32": sums}).encode()
        self.files.publish((_TRIALS, record.trial_id), content, last=_DONE)
        self.clear_failure(record.trial_id)
        self.files.remove(_CHECKPOINTS, f"{record.trial_id}.safetensors")

    def read_trial(self, trial_id: str) -> TrialRecord:
        """Read a trial back, checking every byte.

        Raises:
            CorruptTrialError: a file is missing, cut short or changed.
            SchemaError: a newer version of this program wrote it.
        """
        content = self._verified(trial_id)
        try:
            spec, facts = _spec_and_facts(content[_SPEC])
            logits, sample_ids = read_logits(read_parquet(content[_LOGITS], f"trial {trial_id}")[0])
            history = read_parquet(content[_HISTORY], f"trial {trial_id}")[0].to_pandas()
        except (pa.ArrowException, ValueError, KeyError, MmptError) as error:
            if isinstance(error, SchemaError):
                raise
            raise CorruptTrialError(f"trial {trial_id}: {error}") from error
        return TrialRecord(
            trial_id=trial_id, spec=spec, facts=facts, logits=logits, sample_ids=sample_ids, history=history
        )

    def done_ids(self) -> set[str]:
        """Ids of the trials that are finished and whole."""
        return {trial_id for trial_id, problem in self._checked() if problem is None}

    def corrupt(self) -> dict[str, str]:
        """Trials whose files are damaged or incomplete: id -> what is wrong. They count as not done."""
        return {trial_id: problem for trial_id, problem in self._checked() if problem is not None}

    def records(self, trial_ids: Iterable[str] | None = None) -> Iterator[TrialRecord]:
        """Read trials one by one, by default every whole one, in the order of their ids."""
        for trial_id in sorted(self.done_ids() if trial_ids is None else trial_ids):
            yield self.read_trial(trial_id)

    def _checked(self) -> Iterator[tuple[str, str | None]]:
        for trial_id in self.files.names(_TRIALS):
            try:
                self._verified(trial_id)
            except CorruptTrialError as error:
                yield trial_id, str(error)
            else:
                yield trial_id, None

    def _verified(self, trial_id: str) -> dict[str, bytes]:
        try:
            done = json.loads(self.files.read(_TRIALS, trial_id, _DONE))
            check_version(int(done["schema_version"]), f"trial {trial_id}")
            sums = {name: int(done["crc32"][name]) for name in (_SPEC, _LOGITS, _HISTORY)}
            content = {name: self.files.read(_TRIALS, trial_id, name) for name in sums}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptTrialError(f"trial {trial_id}: {error}") from error
        for name, data in content.items():
            if zlib.crc32(data) != sums[name]:
                raise CorruptTrialError(f"trial {trial_id}: {name} is not what was written ({len(data)} bytes)")
        return content

    # -- data sets ---------------------------------------------------------------------------------------------------

    def write_samples(self, samples: Samples) -> None:
        """Store a data set's ids, splits and targets, once."""
        if self.files.exists(_DATASETS, samples.fingerprint, "samples.parquet"):
            return
        self.files.write(samples_bytes(samples), _DATASETS, samples.fingerprint, "samples.parquet")

    def read_samples(self, fingerprint: str) -> Samples:
        """Read a data set's samples.

        Raises:
            StoreError: the store has none of this fingerprint.
        """
        try:
            return read_samples(self.files.read(_DATASETS, fingerprint, "samples.parquet"), fingerprint)
        except (OSError, pa.ArrowException, KeyError) as error:
            raise StoreError(
                f"store {self.root!r} has no readable samples of data set {fingerprint}: {error}"
            ) from error

    # -- failures ----------------------------------------------------------------------------------------------------

    def write_failure(self, failure: Failure) -> None:
        """Keep why a trial failed."""
        self.files.write(
            json.dumps(vars(failure), sort_keys=True, indent=1).encode(), _FAILURES, f"{failure.trial_id}.json"
        )

    def clear_failure(self, trial_id: str) -> None:
        """Forget an earlier failure, since the trial is tried again."""
        self.files.remove(_FAILURES, f"{trial_id}.json")

    def failures(self) -> dict[str, Failure]:
        """Failed trials that have not succeeded since."""
        found = {}
        for name in self.files.names(_FAILURES):
            failure = Failure(**json.loads(self.files.read(_FAILURES, name)))
            found[failure.trial_id] = failure
        return found


def _spec_and_facts(data: bytes) -> tuple[TrialSpec, dict[str, Any]]:
    content = json.loads(data)
    return TrialSpec.from_config(content["spec"]), content["facts"]
