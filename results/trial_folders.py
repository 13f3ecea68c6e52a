"""Trials as a sweep leaves them: a folder each, every file of which carries a checksum in `DONE`."""

import json
import zlib
from collections.abc import Collection, Mapping

import pyarrow as pa

from results.file_system import StoreAccessError
from results.files import Files, StoreError
from results.header import CorruptTrialError, read_header
from results.parquet import logits_table, read_logits
from results.schema import (
    HISTORY_SCHEMA,
    SCHEMA_VERSION,
    Logits,
    Samples,
    SchemaError,
    TrialRecord,
    check_version,
    read_parquet,
    write_parquet,
)
from results.scores import metric_versions, scores_table

__all__ = ["DONE", "HISTORY", "LOGITS", "SCORES", "SPEC", "TRIALS", "TrialFolders", "record_of"]

SPEC, LOGITS, HISTORY, SCORES = "spec.json", "logits.parquet", "history.parquet", "scores.parquet"
TRIALS, DONE = "trials", "DONE"
_CONTENT = (SPEC, LOGITS, HISTORY)


class TrialFolders:
    """A store's folders `trials/<id>/{spec.json, logits.parquet, history.parquet, scores.parquet, DONE}`."""

    files: Files

    def write_folder(self, record: TrialRecord, samples: Samples | None) -> None:
        """Make a finished trial's folder appear, whole; with the data set's samples its scores are stored too."""
        about = dict(record.facts.get("provenance", {}))
        history = pa.Table.from_pandas(record.history, schema=HISTORY_SCHEMA, preserve_index=False)
        spec = {"schema_version": SCHEMA_VERSION, "spec": record.spec.to_config(), "facts": dict(record.facts)}
        content = {
            SPEC: json.dumps(spec, sort_keys=True, indent=1).encode(),
            LOGITS: write_parquet(logits_table(record), about),
            HISTORY: write_parquet(history, about),
        }
        if samples is not None:
            content[SCORES] = write_parquet(scores_table(record, samples), {"metric_versions": metric_versions()})
        sums = {name: zlib.crc32(data) for name, data in content.items()}
        sizes = {name: len(data) for name, data in content.items()}
        done = {"schema_version": SCHEMA_VERSION, "trial_id": record.trial_id, "crc32": sums, "bytes": sizes}
        content[DONE] = json.dumps(done).encode()
        self.files.publish((TRIALS, record.trial_id), content, last=DONE)

    def folder_ids(self) -> list[str]:
        """Ids of all trial folders, whole or not, sorted."""
        return self.files.names(TRIALS)

    def folders_at_sight(self) -> dict[str, str | None]:
        """Look at all folders, not into their files: trial id -> what is wrong with it, None if it looks whole.

        On a disk every file must be as long as `DONE` says. In a bucket, where no file is ever cut short and one
        listing shows all folders, every file must be there.
        """
        found = sorted(self.files.folder_sizes(TRIALS).items())
        return {trial_id: self._problem_at_sight(trial_id, sizes) for trial_id, sizes in found}

    def _problem_at_sight(self, trial_id: str, sizes: Mapping[str, int]) -> str | None:
        try:
            for name in (DONE, *_CONTENT):
                if not sizes.get(name):
                    raise CorruptTrialError(f"trial {trial_id}: there is no {name}, or nothing in it", trial_id)
            for name, (_, size) in self._written(trial_id).items() if self.files.is_local else ():
                _check(trial_id, name, sizes.get(name, 0), ok=sizes.get(name) == size)
        except StoreError as error:
            return str(error)
        return None

    def remove_folder(self, trial_id: str) -> None:
        """Delete a trial's folder, its `DONE` first: an interrupted deletion leaves no half trial that looks whole."""
        self.files.remove_file(TRIALS, trial_id, DONE)
        self.files.remove(TRIALS, trial_id)

    def read_folder(self, trial_id: str, names: Collection[str] | None = None) -> dict[str, bytes]:
        """Return a folder's files, by default all that it has, each checked against its checksum.

        Files that are not asked for are only looked at: are they there, are they as long as they were. Names that the
        folder never had are left out of the answer.

        Raises:
            CorruptTrialError: a file is missing, cut short or changed, or the folder is another trial's.
            SchemaError: a newer version of this program wrote it.
        """
        content = {}
        for name, (crc, size) in self._written(trial_id).items():
            try:
                data = self.files.read(TRIALS, trial_id, name) if names is None or name in names else None
                found = self.files.size(TRIALS, trial_id, name) if data is None else len(data)
            except StoreAccessError:
                raise
            except OSError as error:
                raise CorruptTrialError(f"trial {trial_id}: {error}", trial_id) from error
            _check(trial_id, name, found, ok=found == size and (data is None or zlib.crc32(data) == crc))
            if data is not None:
                content[name] = data
        return content

    def _written(self, trial_id: str) -> dict[str, tuple[int, int]]:
        """Return (checksum, bytes) of each file as they were written."""
        try:
            done = json.loads(self.files.read(TRIALS, trial_id, DONE))
            check_version(int(done["schema_version"]), f"trial {trial_id}")
            written = {name: (int(crc), int(done["bytes"][name])) for name, crc in done["crc32"].items()}
            written_as, _ = done["trial_id"], [written[name] for name in _CONTENT]
        except StoreAccessError:
            raise
        except KeyError as error:
            raise CorruptTrialError(f"trial {trial_id}: {DONE} lacks {error}", trial_id) from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise CorruptTrialError(f"trial {trial_id}: {error}", trial_id) from error
        if written_as != trial_id:
            raise CorruptTrialError(f"trial {trial_id}: the folder is a copy of trial {written_as}", trial_id)
        return written


def _check(trial_id: str, name: str, size: int, *, ok: bool) -> None:
    if not ok:
        raise CorruptTrialError(f"trial {trial_id}: {name} is not what was written ({size} bytes)", trial_id)


def logits_of(trial_id: str, content: Mapping[str, bytes]) -> Logits:
    """Return the logits that a folder's file holds.

    Raises:
        CorruptTrialError: it holds none.
        SchemaError: a newer version of this program wrote it.
    """
    try:
        return read_logits(read_parquet(content[LOGITS], f"trial {trial_id}")[0])
    except SchemaError:
        raise
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise CorruptTrialError(f"trial {trial_id}: {error}", trial_id) from error


def record_of(trial_id: str, content: dict[str, bytes]) -> TrialRecord:
    """Return the record that a folder's files hold.

    Raises:
        CorruptTrialError: they do not hold one.
        SchemaError: a newer version of this program wrote them.
    """
    spec, facts = read_header(trial_id, content[SPEC])
    logits, sample_ids = logits_of(trial_id, content)
    try:
        history = read_parquet(content[HISTORY], f"trial {trial_id}")[0].to_pandas()
    except SchemaError:
        raise
    except (pa.ArrowException, ValueError, KeyError) as error:
        raise CorruptTrialError(f"trial {trial_id}: {error}", trial_id) from error
    return TrialRecord(trial_id=trial_id, spec=spec, facts=facts, logits=logits, sample_ids=sample_ids, history=history)
