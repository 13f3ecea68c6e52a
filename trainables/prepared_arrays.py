"""The arrays of prepared data, and how they are laid out in an Arrow table."""

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainables.api_data import DataInfo, InputInfo, RawData, Storage
from trainables.sample_digests import DIGEST, sample_digests
from trainables.scored_units import ScoredUnits

if TYPE_CHECKING:
    from results.schema import Samples

__all__ = ["Prepared", "checksum_of_the_rest", "from_table", "info_from_json", "info_to_json", "to_numbers", "to_table"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A data set in memory-mapped arrays; all of them are read-only views, rows in the data set's own order.

    Attributes:
        fingerprint: content hash of the prepared data.
        info: shapes and classes.
        sample_ids: (N,) unique and stable.
        splits: (N,) "train", "val" or "test"; "" for a sample of which nothing could be read.
        groups: (N,) what is never shared between splits, or "".
        targets: (N,) class numbers, or (N, C) zeros and ones.
        inputs: modality -> (N, *stored shape), see `InputInfo.stored`.
        present: modality -> (N,) True where the sample really has it.
    """

    fingerprint: str
    info: DataInfo
    sample_ids: npt.NDArray[np.str_] = field(repr=False)
    splits: npt.NDArray[np.str_] = field(repr=False)
    groups: npt.NDArray[np.str_] = field(repr=False)
    targets: npt.NDArray[np.int64] = field(repr=False)
    inputs: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    present: Mapping[str, npt.NDArray[np.bool_]] = field(repr=False)

    def rows(self, split: str) -> npt.NDArray[np.int64]:
        """Row numbers of a split, ascending."""
        return np.flatnonzero(self.splits == split)

    def scored(self, split: str) -> ScoredUnits:
        """Return what of a split is scored: its samples or its groups."""
        rows = self.rows(split)
        groups = self.groups[rows] if self.info.scored_by == "group" else None
        return ScoredUnits.of(rows, self.sample_ids[rows], groups)

    def to_samples(self, key: str) -> "Samples":
        """Return what the store keeps of the data set called `key`: ids, splits, groups and targets.

        Validation and test have one row per group where groups are scored, under the group's name.
        """
        import pandas as pd  # noqa: PLC0415 (a quarter of a second, of which preparing has no use)

        from results.schema import Samples  # noqa: PLC0415 (imports pandas)

        units = [self.scored(split) for split in ("val", "test")]
        first = np.concatenate([unit.first_rows for unit in units])
        kept = np.flatnonzero((self.splits == "train") | np.isin(np.arange(len(self.splits)), first))
        sample_ids = self.sample_ids.astype(np.object_)
        for unit in units:
            sample_ids[unit.first_rows] = unit.ids
        return Samples(
            fingerprint=self.fingerprint,
            dataset=key,
            modalities=list(self.info.modalities),
            class_names=list(self.info.class_names),
            multi_label=self.info.multi_label,
            frame=pd.DataFrame(
                {
                    "sample_id": sample_ids[kept].astype(np.str_),
                    "split": self.splits[kept],
                    "group": self.groups[kept],
                    **{f"present_{name}": self.present[name][kept] for name in self.info.modalities},
                }
            ),
            targets=self.targets[kept],
        )


def to_table(raw: RawData, info: DataInfo) -> pa.Table:
    """Lay out one row per sample: arrays as fixed-size lists of numbers in C order, presence as bytes, digests."""
    columns: dict[str, Any] = {
        "sample_id": pa.array(list(raw.sample_ids), pa.large_string()),
        "split": pa.array(list(raw.splits), pa.large_string()),
        "group": pa.array(list(raw.groups), pa.large_string()),
        "target": _to_column(raw.targets),
    }
    present = {}
    for name in info.modalities:
        has = raw.present.get(name, np.ones(len(raw.sample_ids), np.bool_))
        columns[f"input_{name}"] = _to_column(raw.inputs[name])
        columns[f"present_{name}"] = _to_column(has.view(np.uint8))
        present[name] = has
    columns[DIGEST] = _to_column(sample_digests(raw.inputs, present, 0, len(raw.sample_ids)))
    return pa.table(columns)


def from_table(table: pa.Table, fingerprint: str, info: DataInfo) -> Prepared:
    """Return views of a table made by `to_table`; numbers are not copied.

    Raises:
        KeyError, ValueError: the table is not one of `info`'s.
    """
    rows = table.num_rows
    present = {m: to_numbers(table.column(f"present_{m}"), "uint8", (rows,)).view(np.bool_) for m in info.modalities}
    # A sample of which nothing could be read has a row but is in no split.
    somewhere = np.logical_or.reduce(list(present.values()))
    splits = np.array(table.column("split").to_pylist(), np.str_)
    targets = (rows, info.num_classes) if info.multi_label else (rows,)
    return Prepared(
        fingerprint=fingerprint,
        info=info,
        sample_ids=np.array(table.column("sample_id").to_pylist(), np.str_),
        splits=np.where(somewhere, splits, ""),
        groups=np.array(table.column("group").to_pylist(), np.str_),
        targets=to_numbers(table.column("target"), "int64", targets),
        inputs={
            m: to_numbers(table.column(f"input_{m}"), stored.dtype, (rows, *stored.shape))
            for m, stored in ((m, info.inputs[m].stored) for m in info.modalities)
        },
        present=present,
    )


def _to_column(values: npt.NDArray[Any]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values[0].size)


def to_numbers(column: pa.ChunkedArray, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return a view (*shape) of a column of numbers or of lists of them; Arrow's own would import pandas first.

    Raises:
        ValueError: the column has another type, another number of values, or nulls.
    """
    (chunk,) = column.chunks
    flat = chunk.flatten() if pa.types.is_fixed_size_list(chunk.type) else chunk
    if flat.type != pa.from_numpy_dtype(np.dtype(dtype)) or flat.null_count:
        raise ValueError(f"{flat.type} with {flat.null_count} nulls where {dtype} is expected")
    numbers = np.frombuffer(flat.buffers()[1], dtype)
    return numbers[flat.offset : flat.offset + len(flat)].reshape(shape)


def checksum_of_the_rest(table: pa.Table) -> int:
    """Return the CRC-32 of every column except the inputs, which the digests are of."""
    checksum = 0
    for name in table.column_names:
        if name.startswith("input_"):
            continue
        for chunk in table.column(name).chunks:
            for buffer in chunk.buffers():
                checksum = checksum if buffer is None else zlib.crc32(buffer, checksum)
    return checksum


def info_to_json(info: DataInfo) -> dict[str, Any]:
    """Return plain data from which `info_from_json` makes an equal DataInfo."""
    inputs = {name: asdict(value) for name, value in info.inputs.items()}
    return {
        "dataset": info.dataset,
        "inputs": inputs,
        "class_names": list(info.class_names),
        "multi_label": info.multi_label,
        "scored_by": info.scored_by,
    }


def info_from_json(plain: Mapping[str, Any]) -> DataInfo:
    """Invert `info_to_json`.

    Raises:
        KeyError, TypeError: something is missing or unknown.
    """
    inputs = {name: _input_from_json(value) for name, value in plain["inputs"].items()}
    return DataInfo(
        dataset=plain["dataset"],
        inputs=inputs,
        class_names=list(plain["class_names"]),
        multi_label=plain["multi_label"],
        scored_by=plain.get("scored_by", "sample"),  # caches of earlier versions do not say it
    )


def _input_from_json(plain: Mapping[str, Any]) -> InputInfo:
    storage = plain["storage"]
    if storage is not None:
        lists = {name: tuple(storage[name]) for name in ("shape", "scale", "shift")}
        storage = Storage(**{**storage, **lists})
    return InputInfo(**{**plain, "shape": tuple(plain["shape"]), "storage": storage})
