"""What a registered model is given, checked and put into the form in which trials read prepared data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.errors import InvalidValueError, UnknownNameError
from trainables.api import DataInfo, InputInfo
from trainables.data import SplitData, load_split
from trainables.devices import Compute
from trainables.prepared_arrays import Prepared

__all__ = ["Inputs", "read_samples"]

Inputs = Mapping[str, Sequence[Any]]
"""modality -> N arrays as prepared data has them (`InputInfo.stored`); None or NaN where a sample lacks it."""
_SPLIT = "test"


def read_samples(inputs: Inputs, info: DataInfo, used: tuple[str, ...], compute: Compute) -> SplitData:
    """Return samples in their order, with what each of them has; a modality that is not named is absent.

    Args:
        inputs: what the caller has.
        info: of the data that the model was trained on.
        used: modalities whose arrays are read.
        compute: where batches will live.

    Raises:
        UnknownNameError: the data have no such modality.
        InvalidValueError: a sample has none of the used modalities, or an array is of another shape or kind.
    """
    for name in inputs:
        if name not in info.inputs:
            raise UnknownNameError("modality", name, info.modalities)
    counts = {name: len(values) for name, values in inputs.items()}
    if len(set(counts.values())) != 1:
        raise InvalidValueError("samples per modality", counts, "equally many of each")
    count = next(iter(counts.values()))
    arrays, present = {}, {}
    for name in info.modalities:
        cells: Sequence[Any] = inputs[name] if name in used and name in inputs else [None] * count
        arrays[name], present[name] = _read(name, cells, info.inputs[name])
    none = np.flatnonzero(~np.logical_or.reduce([present[name] for name in used]))
    if len(none):
        raise InvalidValueError(f"sample {none[0]}", None, f"at least one of {', '.join(used)}")
    prepared = Prepared(
        fingerprint="",
        info=info,
        sample_ids=np.arange(count).astype(np.str_),
        splits=np.full(count, _SPLIT),
        groups=np.full(count, ""),
        targets=np.zeros((count, info.num_classes) if info.multi_label else count, np.int64),
        inputs=arrays,
        present=present,
    )
    return load_split(prepared, _SPLIT, used, compute)


def _read(name: str, cells: Sequence[Any], info: InputInfo) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return (N, *stored shape), zero where a sample lacks the modality, and (N,) which do not."""
    stored = info.stored
    values = np.zeros((len(cells), *stored.shape), stored.dtype)
    present = np.zeros(len(cells), np.bool_)
    for row, cell in enumerate(cells):
        array = None if cell is None else np.asarray(cell)
        if array is None or _is_missing(array):
            continue
        values[row] = _cast(f"{name} of sample {row}", array, stored.shape, values.dtype)
        present[row] = True
    return values, present


def _is_missing(array: npt.NDArray[Any]) -> bool:
    """Tell whether it is NaN or pandas' NA, or nothing but NaN."""
    if array.dtype == object:
        return array.ndim == 0
    return array.dtype.kind == "f" and bool(np.isnan(array).all())


def _cast(what: str, array: npt.NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    allowed = f"{dtype} of shape {shape}"
    if array.shape != shape or array.dtype.kind not in "biuf":
        raise InvalidValueError(what, f"{array.dtype} of shape {array.shape}", allowed)
    with np.errstate(invalid="ignore"):
        cast = array.astype(dtype)
    whole = np.isfinite(cast).all() if dtype.kind == "f" else (cast == array).all()
    if not whole:
        raise InvalidValueError(what, f"{array.dtype}", f"{allowed}, every number one of its type")
    return cast
