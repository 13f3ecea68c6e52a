"""The store: one folder per finished trial, the only source of every table, figure and MLflow run."""

import json
import zlib
from collections.abc import Iterable, Iterator

import pyarrow as pa

from results.failures import Failure, Failures
from results.files import Files, StoreError
from results.header import CorruptTrialError, read_header
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
from search_spaces.spec import canonical_json

__all__ = ["CorruptTrialError", "Failure", "Store"]

_TRIALS, _DATASETS = "trials", "datasets"
_DONE, _SPEC, _LOGITS, _HISTORY = "DONE", "spec.json", "logits.parquet", "history.parquet"
_CONTENT = (_SPEC, _LOGITS, _HISTORY)


class Store(Weights, Failures):
    """Results under an absolute path or a bucket URL. Safe to share: nothing is ever half-written.

    Layout: `trials/<id>/{spec.json, logits.parquet, history.parquet, DONE}`, `datasets/<fingerprint>/samples.parquet`,
    `failures/<id>.json`, `checkpoints/<id>.safetensors`, `models/<id>.safetensors`.

    Raises:
        StoreError: the root is relative, its URL has no file system, or its `store.json` is damaged.
        SchemaError: a newer version of this program wrote the store.
    """

    def __init__(self, root: str) -> None:
        self.files = Files(root)
        self.root = root
        if self.files.exists("store.json"):
            try:
                version = int(json.loads(self.files.read("store.json"))["schema_version"])
            except (ValueError, KeyError, TypeError) as error:
                path = self.files.path("store.json")
                raise StoreError(f"{path} is damaged: {error!r}; delete the file, it is written anew") from error
            check_version(version, f"store {root}")

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
        done = {"schema_version": SCHEMA_VERSION, "trial_id": record.trial_id, "crc32": sums}
        content[_DONE] = json.dumps(done).encode()
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
        spec, facts = read_header(trial_id, content[_SPEC])
        try:
            logits, sample_ids = read_logits(read_parquet(content[_LOGITS], f"trial {trial_id}")[0])
            history = read_parquet(content[_HISTORY], f"trial {trial_id}")[0].to_pandas()
        except SchemaError:
            raise
        except (pa.ArrowException, ValueError, KeyError) as error:
            raise CorruptTrialError(f"trial {trial_id}: {error}") from error
        return TrialRecord(
            trial_id=trial_id, spec=spec, facts=facts, logits=logits, sample_ids=sample_ids, history=history
        )

    def is_done(self, trial_id: str) -> bool:
        """Tell whether one trial is finished and whole."""
        try:
            self._verified(trial_id)
        except StoreError:
            return False
        return True

    def trial_ids(self) -> list[str]:
        """Ids of all trial folders, whole or not, sorted."""
        return self.files.names(_TRIALS)

    def done_ids(self) -> set[str]:
        """Ids of the trials that are finished and whole."""
        return {trial_id for trial_id, problem in self._checked() if problem is None}

    def corrupt(self) -> dict[str, str]:
        """Trials that are damaged, incomplete or of a newer version: id -> what is wrong. They count as not done."""
        return {trial_id: problem for trial_id, problem in self._checked() if problem is not None}

    def records(self, trial_ids: Iterable[str] | None = None) -> Iterator[TrialRecord]:
        """Read trials one by one, by default every whole one, in the order of their ids."""
        for trial_id in sorted(self.done_ids() if trial_ids is None else trial_ids):
            yield self.read_trial(trial_id)

    def _checked(self) -> Iterator[tuple[str, str | None]]:
        for trial_id in self.trial_ids():
            yield trial_id, self._problem(trial_id)

    def _problem(self, trial_id: str) -> str | None:
        """Return what keeps a trial from being done: None if its bytes are those written and its spec can be read."""
        try:
            read_header(trial_id, self._verified(trial_id)[_SPEC])
        except StoreError as error:
            return str(error)
        return None

    def _verified(self, trial_id: str) -> dict[str, bytes]:
        try:
            done = json.loads(self.files.read(_TRIALS, trial_id, _DONE))
            check_version(int(done["schema_version"]), f"trial {trial_id}")
            sums, written_as = {name: int(done["crc32"][name]) for name in _CONTENT}, done["trial_id"]
            content = {name: self.files.read(_TRIALS, trial_id, name) for name in sums}
        except KeyError as error:
            raise CorruptTrialError(f"trial {trial_id}: {_DONE} lacks {error}") from error
        except (OSError, ValueError, TypeError) as error:
            raise CorruptTrialError(f"trial {trial_id}: {error}") from error
        if written_as != trial_id:
            raise CorruptTrialError(f"trial {trial_id}: the folder is a copy of trial {written_as}")
        for name, data in content.items():
            if zlib.crc32(data) != sums[name]:
                raise CorruptTrialError(f"trial {trial_id}: {name} is not what was written ({len(data)} bytes)")
        return content

    # -- data sets ---------------------------------------------------------------------------------------------------

    def write_samples(self, samples: Samples) -> None:
        """Store a data set's ids, splits and targets, once; a damaged file is replaced.

        Raises:
            SchemaError: a newer version of this program wrote them.
        """
        try:
            self.read_samples(samples.fingerprint)
        except SchemaError:
            raise
        except StoreError:
            self.files.write(samples_bytes(samples), _DATASETS, samples.fingerprint, "samples.parquet")

    def read_samples(self, fingerprint: str) -> Samples:
        """Read a data set's samples.

        Raises:
            StoreError: the store has none of this fingerprint, or the file is damaged.
        """
        try:
            return read_samples(self.files.read(_DATASETS, fingerprint, "samples.parquet"), fingerprint)
        except (OSError, pa.ArrowException, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(
                f"store {self.root!r} has no readable samples of data set {fingerprint}: {error}"
            ) from error

    # -- failures ----------------------------------------------------------------------------------------------------

    def failures(self) -> dict[str, Failure]:
        """Failed trials that have not succeeded since."""
        return {key: found for key, found in self.stored_failures().items() if self._problem(key) is not None}
