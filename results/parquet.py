"""Logits and samples as Arrow tables, and back, checked on the way."""

import json
import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from results.files import StoreError
from results.schema import Floats, Logits, LogitsKey, Samples, TrialRecord, read_parquet, write_parquet

__all__ = ["logits_table", "read_logits", "read_samples", "samples_bytes"]

_CHECKSUM = "crc32"


def logits_table(record: TrialRecord) -> pa.Table:
    """Return a trial's logits, one row per key and sample.

    Raises:
        ValueError: there are more or fewer rows than samples.
        StoreError: a logit is not a finite float32: a score of it would be a number that means nothing.
    """
    parts = []
    for key, logits in sorted(record.logits.items()):
        ids = record.sample_ids[key.split]
        if len(ids) != len(logits):
            raise ValueError(f"{key}: {len(logits)} rows of logits for {len(ids)} samples")
        with np.errstate(over="ignore"):
            narrow = np.ascontiguousarray(logits, dtype=np.float32)
        if not np.isfinite(narrow).all():
            bad = int((~np.isfinite(narrow)).any(axis=1).sum())
            raise StoreError(f"trial {record.trial_id}: {key}: logits of {bad} of {len(ids)} samples are not finite")
        flat = pa.array(narrow.ravel())
        columns: dict[str, Any] = {
            name: pa.DictionaryArray.from_arrays(np.zeros(len(ids), np.int32), [getattr(key, name)])
            for name in ("split", "pattern", "route")
        }
        columns["sample_id"] = pa.array(ids, pa.string())
        columns["logits"] = pa.FixedSizeListArray.from_arrays(flat, logits.shape[1])
        parts.append(pa.table(columns))
    return pa.concat_tables(parts).unify_dictionaries()


def read_logits(table: pa.Table) -> Logits:
    """Return (logits, sample ids per split) of a table that `logits_table` made.

    Raises:
        ValueError: two patterns or routes of one split have different samples, or rows of one are not together.
    """
    flat = np.asarray(table["logits"].combine_chunks().flatten()).reshape(len(table), -1)
    ids = table["sample_id"].combine_chunks()
    logits: dict[LogitsKey, Floats] = {}
    found: dict[str, pa.Array] = {}
    for key, start, end in _blocks(table):
        if key in logits:
            raise ValueError(f"rows of {key} are in two places")
        logits[key] = flat[start:end]
        own = ids.slice(start, end - start)
        if not found.setdefault(key.split, own).equals(own):
            raise ValueError(f"logits of {key.route} {key.pattern} are on other {key.split} samples than those before")
    return logits, {split: own.to_pylist() for split, own in found.items()}


def _blocks(table: pa.Table) -> Iterator[tuple[LogitsKey, int, int]]:
    """Return each key with the first row of its block and the one after its last."""
    columns = [pc.dictionary_encode(table[name].combine_chunks()) for name in ("route", "pattern", "split")]
    changes = [np.flatnonzero(np.diff(column.indices.to_numpy())) + 1 for column in columns]
    bounds = sorted({0, len(table)}.union(*(places.tolist() for places in changes))) if len(table) else []
    for start, end in pairwise(bounds):
        yield LogitsKey(*(column[start].as_py() for column in columns)), start, end


def samples_bytes(samples: Samples) -> bytes:
    """Return a data set's samples as Parquet."""
    targets = samples.targets if samples.multi_label else samples.targets[:, None]
    table = pa.Table.from_pandas(samples.frame, preserve_index=False)
    flat = pa.array(np.ascontiguousarray(targets, dtype=np.int64).ravel())
    table = table.append_column("target", pa.FixedSizeListArray.from_arrays(flat, targets.shape[1]))
    about = {name: getattr(samples, name) for name in ("dataset", "modalities", "class_names", "multi_label")}
    return write_parquet(table, {**about, _CHECKSUM: _checksum(table, about)})


def read_samples(data: bytes, fingerprint: str) -> Samples:
    """Read what `samples_bytes` wrote.

    Raises:
        ValueError: the content is not what was written.
    """
    table, about = read_parquet(data, f"data set {fingerprint}")
    if about.pop(_CHECKSUM, None) != _checksum(table, about):
        raise ValueError("the content is not what was written (checksum)")
    targets = np.asarray(table["target"].combine_chunks().flatten()).reshape(len(table), -1)
    return Samples(
        fingerprint=fingerprint,
        frame=table.drop_columns(["target"]).to_pandas(),
        targets=targets if about["multi_label"] else targets[:, 0],
        **about,
    )


def _checksum(table: pa.Table, about: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps([dict(about), table.to_pydict()], sort_keys=True).encode())
