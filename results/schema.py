"""The columns of every Parquet file, the version they carry, and the record a trial leaves behind."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from results.schema_version import SCHEMA_VERSION, SchemaError, check_version
from search_spaces.modality import Pattern
from search_spaces.spec import TrialSpec

__all__ = [
    "HISTORY_SCHEMA",
    "ROUTES",
    "SCHEMA_VERSION",
    "Floats",
    "HistoryRow",
    "Logits",
    "LogitsKey",
    "Samples",
    "SchemaError",
    "TrialRecord",
    "check_version",
    "file_metadata",
    "read_about",
    "read_parquet",
    "write_parquet",
]

ROUTES = ("probe", "head")
"""`probe`: fresh linear probes on frozen features (MMPT's protocol). `head`: the method's own prediction."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

HISTORY_SCHEMA = pa.schema(
    [
        pa.field("epoch", pa.int32()),  # 1, 2, ...; null for facts of the whole trial
        pa.field("name", pa.string(), nullable=False),  # train/<loss term>, val/<pattern>/<metric>, seconds/..., ...
        pa.field("value", pa.float64(), nullable=False),
        pa.field("samples", pa.int64()),  # how many samples the value averages over, where that has a meaning
    ]
)
_VERSION_KEY = b"mmpt.schema_version"
_ABOUT_KEY = b"mmpt.about"


class HistoryRow(NamedTuple):
    """One row of a trial's history, with the columns of `HISTORY_SCHEMA`."""

    epoch: int | None
    name: str
    value: float
    samples: int | None = None


@dataclass(frozen=True, order=True)
class LogitsKey:
    """Which logits: by `route`, available `pattern` (its key, e.g. `audio-image`) and `split` (val or test)."""

    route: str
    pattern: str
    split: str


Logits = tuple[Mapping[LogitsKey, Floats], Mapping[str, list[str]]]
"""What `TrialRecord` has as `logits` and `sample_ids`."""


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """Everything a finished trial leaves behind.

    Attributes:
        trial_id: content hash of spec, versions and data.
        spec: what was run.
        facts: plain JSON data that tables need without torch: `modalities` (list), `num_classes`, `multi_label`,
            `fingerprint` (of the data), `reports` (keys of the patterns this trial stands for in a profile),
            `provenance` (git commit, package versions), `device`, `mask_fingerprint` (of the training mask).
        logits: (N, C) float32 per key; rows follow `sample_ids[key.split]`.
        sample_ids: split -> ids of its samples, in the order of the rows.
        history: long-form curves and facts with the columns of `HISTORY_SCHEMA`.
    """

    trial_id: str
    spec: TrialSpec
    facts: Mapping[str, Any]
    logits: Mapping[LogitsKey, Floats]
    sample_ids: Mapping[str, list[str]]
    history: pd.DataFrame

    @property
    def full_pattern(self) -> Pattern:
        """The pattern in which every modality is available."""
        return Pattern(self.facts["modalities"])

    def fact(self, name: str) -> float | None:
        """Return a whole-trial value of the history, for instance `seconds/total`, or None."""
        rows = self.history[self.history["epoch"].isna() & (self.history["name"] == name)]
        return None if rows.empty else float(rows["value"].iloc[-1])


@dataclass(frozen=True, kw_only=True)
class Samples:
    """A data set's samples, stored once for all trials on it.

    Attributes:
        fingerprint: content hash of the prepared data.
        dataset: key of the data set.
        modalities: its modalities, sorted.
        class_names: one per class.
        multi_label: True if targets are (N, C) zeros and ones, else class numbers (N,).
        frame: columns `sample_id`, `split`, `group`, and `present_<modality>` where it is known which samples lack a
            modality by nature; one row per sample.
        targets: (N,) class numbers or (N, C) zeros and ones, rows as in `frame`.
    """

    fingerprint: str
    dataset: str
    modalities: list[str]
    class_names: list[str]
    multi_label: bool
    frame: pd.DataFrame
    targets: Ints = field(repr=False)

    def split(self, name: str) -> tuple[list[str], Ints]:
        """Return (sample ids, targets) of one split, in stored order."""
        ids, targets = self._splits.get(name, ([], self.targets[:0]))
        return list(ids), targets

    def count(self, split: str) -> int:
        """Return how many samples a split has."""
        return len(self._splits.get(split, ([], None))[0])

    @cached_property
    def _splits(self) -> dict[str, tuple[list[str], Ints]]:
        rows_of = self.frame.groupby("split", sort=False).indices
        ids = self.frame["sample_id"]
        return {str(name): (ids.iloc[rows].tolist(), self.targets[rows]) for name, rows in rows_of.items()}


def write_parquet(table: pa.Table, about: Mapping[str, Any] | None = None) -> bytes:
    """Return a table as Parquet bytes that carry the schema version and where they came from."""
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(file_metadata(about)), buffer, compression="zstd")
    return buffer.getvalue()


def file_metadata(about: Mapping[str, Any] | None = None) -> dict[bytes, bytes]:
    """Return what every Parquet file carries beside its columns: the schema version and where it came from."""
    return {_VERSION_KEY: str(SCHEMA_VERSION).encode(), _ABOUT_KEY: json.dumps(about or {}, sort_keys=True).encode()}


def read_parquet(data: bytes, what: str) -> tuple[pa.Table, dict[str, Any]]:
    """Return (table, about) of Parquet bytes.

    Raises:
        SchemaError: a newer version of this program wrote it.
        pyarrow.ArrowException: the bytes are not a whole Parquet file.
    """
    table = pq.read_table(io.BytesIO(data))
    return table, read_about(table.schema.metadata or {}, what)


def read_about(metadata: Mapping[bytes, bytes], what: str) -> dict[str, Any]:
    """Return where a file came from, of its `file_metadata`.

    Raises:
        SchemaError: a newer version of this program wrote it.
    """
    check_version(int(metadata.get(_VERSION_KEY, b"0")), what)
    about: dict[str, Any] = json.loads(metadata.get(_ABOUT_KEY, b"{}"))
    return about
