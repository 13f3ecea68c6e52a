"""The store: every finished trial, in its folder or compacted; the only source of every table and MLflow run."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pyarrow as pa

from results.compacted_trials import CompactedTrials
from results.failures import Failure, Failures
from results.file_system import StoreAccessError
from results.files import Files, StoreError
from results.header import CorruptTrialError, read_header
from results.leases import Leases
from results.parquet import read_samples, samples_bytes
from results.parts import Part
from results.patient_files import PatientFiles
from results.plans import Plans
from results.schema import SCHEMA_VERSION, Logits, Samples, SchemaError, TrialRecord, check_version
from results.trial_folders import LOGITS, SPEC, TrialFolders, logits_of, record_of
from results.weights import CHECKPOINTS as _CHECKPOINTS
from results.weights import Weights
from search_spaces.spec import canonical_json

__all__ = ["CorruptTrialError", "Failure", "Store"]

T = TypeVar("T")

_DATASETS, _SAMPLES = "datasets", "samples.parquet"


class Store(TrialFolders, CompactedTrials, Plans, Weights, Failures, Leases):
    """Results under an absolute path or a bucket URL. Safe to share: nothing is ever half-written.

    Layout: `trials/<id>/{spec.json, logits.parquet, history.parquet, scores.parquet, DONE}`, `compacted/<part>/` (see
    `results.compact`), `datasets/<fingerprint>/samples.parquet`, `failures/<id>.json`,
    `checkpoints/<id>.safetensors`, `models/<id>.safetensors`, `leases/<id>.<number>.json`. Readers do not tell a trial
    in a folder from a compacted one; of a trial that is both, they take the folder.

    Args:
        root: where it is.
        patience_seconds: for how long to wait for a store that fails, see `PatientFiles`.

    Raises:
        StoreError: the root is relative, its URL has no file system, or its `store.json` is damaged.
        SchemaError: a newer version of this program wrote the store.
    """

    def __init__(self, root: str, *, patience_seconds: float = 0.0) -> None:
        super().__init__()
        self.files = PatientFiles(root, patience_seconds) if patience_seconds else Files(root)
        self.root = root
        try:
            version = int(json.loads(self.files.read("store.json"))["schema_version"])
        except (FileNotFoundError, NotADirectoryError):
            return
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
        except StoreAccessError:
            raise
        except OSError as error:
            raise StoreError(f"store {self.root!r} cannot be written: {error.strerror or error}") from error

    # -- trials ------------------------------------------------------------------------------------------------------

    def write_trial(self, record: TrialRecord) -> None:
        """Make a finished trial appear, whole, and forget its earlier failure and its checkpoint.

        Its scores are stored beside it if the store has the samples of its data set; else readers compute them.
        """
        fingerprint = record.facts.get("fingerprint", "")
        known = self.files.exists(_DATASETS, fingerprint, _SAMPLES)
        self.write_folder(record, self.read_samples(fingerprint) if known else None)
        self.clear_failure(record.trial_id)
        self.files.remove_file(_CHECKPOINTS, f"{record.trial_id}.safetensors")

    def read_trial(self, trial_id: str) -> TrialRecord:
        """Read a trial back, checking every byte.

        Raises:
            CorruptTrialError: a file is missing, cut short or changed.
            SchemaError: a newer version of this program wrote it.
        """
        return self._read(
            trial_id, lambda: record_of(trial_id, self.read_folder(trial_id)), lambda part: part.record(trial_id)
        )

    def read_logits(self, trial_id: str) -> Logits:
        """Read a trial's logits and sample ids and nothing else of it; raises like `read_trial`."""
        found: Logits = self._read(
            trial_id,
            lambda: logits_of(trial_id, self.read_folder(trial_id, (LOGITS,))),
            lambda part: part.logits(trial_id),
        )
        return found

    def _read(self, trial_id: str, from_folder: Callable[[], T], from_part: Callable[[Part], T]) -> T:
        try:
            return from_folder()
        except StoreError:
            compacted = self.read_compacted(trial_id, from_part)
            if compacted is None:
                raise
            return compacted

    def is_done(self, trial_id: str) -> bool:
        """Tell whether one trial is finished and whole."""
        return self._problem(trial_id) is None or self._is_compacted(trial_id)

    def trial_ids(self) -> list[str]:
        """Ids of all trials that the store has, whole or not, sorted."""
        ids = set(self.folder_ids())  # before the parts: a trial may move from here to there meanwhile
        return sorted(ids.union(*(part.trial_ids for part in self.parts())))

    def done_ids(self, *, verify: bool = False) -> set[str]:
        """Ids of the trials that are finished, and whole as far as it shows without reading what is in their files.

        With `verify` every byte is checked, as it is anyway when a trial is read.
        """
        problems = self._folder_problems(verify=verify)  # before the parts: a trial may move from here to there
        whole = {trial_id for trial_id, problem in problems.items() if problem is None}
        return whole | self.compacted_problems(verify=verify)[1]

    def corrupt(self, *, verify: bool = True) -> dict[str, str]:
        """Trials that are damaged, incomplete or of a newer version: id -> what is wrong; see `done_ids`."""
        problems = self._folder_problems(verify=verify)
        found, compacted = self.compacted_problems(verify=verify)
        found |= {key: why for key, why in problems.items() if why is not None and key not in compacted}
        return {key: found[key] for key in sorted(found) if key not in problems or problems[key] is not None}

    def records(self, trial_ids: Iterable[str] | None = None) -> Iterator[TrialRecord]:
        """Read trials one by one, by default every whole one, in the order of their ids."""
        for trial_id in sorted(self.done_ids(verify=True) if trial_ids is None else trial_ids):
            yield self.read_trial(trial_id)

    def _is_compacted(self, trial_id: str) -> bool:
        try:
            return self.read_compacted(trial_id, lambda part: part.record(trial_id)) is not None
        except StoreError:
            return False

    def _folder_problems(self, *, verify: bool) -> dict[str, str | None]:
        if not verify:
            return self.folders_at_sight()
        return {trial_id: self._problem(trial_id) for trial_id in self.folder_ids()}

    def _problem(self, trial_id: str) -> str | None:
        """Return what is wrong with a trial's folder: None if its bytes are those written and its spec can be read."""
        try:
            read_header(trial_id, self.read_folder(trial_id)[SPEC])
        except StoreError as error:
            return str(error)
        return None

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
            self.files.write(samples_bytes(samples), _DATASETS, samples.fingerprint, _SAMPLES)

    def read_samples(self, fingerprint: str) -> Samples:
        """Read a data set's samples.

        Raises:
            StoreError: the store has none of this fingerprint, or the file is damaged.
        """
        try:
            return read_samples(self.files.read(_DATASETS, fingerprint, _SAMPLES), fingerprint)
        except StoreAccessError:
            raise
        except (OSError, pa.ArrowException, ValueError, TypeError, KeyError, AttributeError) as error:
            message = f"store {self.root!r} has no readable samples of data set {fingerprint}: {error}"
            raise StoreError(message) from error

    # -- failures ----------------------------------------------------------------------------------------------------

    def failures(self) -> dict[str, Failure]:
        """Failed trials that have not succeeded since."""
        return {key: found for key, found in self.stored_failures().items() if not self.is_done(key)}
