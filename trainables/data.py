"""A trial's view of prepared data: whole on the device where it fits, batches without host-device waits."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from search_spaces.modality import Pattern
from trainables.api import Batch, InputInfo
from trainables.devices import Compute
from trainables.prepared import Prepared
from trainables.stored_inputs import Scratch, as_input

__all__ = ["SplitData", "load_split", "order_of_epoch"]

_LARGEST_SHARE = 0.25  # of the device's free memory that one split's inputs may take
_BLOCK_BYTES = 2**22  # of batches that are taken at once


@dataclass(frozen=True, kw_only=True)
class SplitData:
    """One split's tensors.

    Attributes:
        sample_ids: ids in the order of the rows.
        inputs: modality -> (N, *stored shape); on the device, or mapped on the host if too large for it.
        infos: modality -> what an encoder gets.
        lengths: text modality -> (N,) number of tokens up to the last that is no padding, at least 1.
        targets: (N,) or (N, C), on the device.
        targets_host: the same on the host.
        available: (N, M), which modalities a sample has, columns alphabetical.
        device: where batches live.
    """

    sample_ids: list[str]
    inputs: dict[str, Tensor]
    infos: Mapping[str, InputInfo]
    lengths: Mapping[str, npt.NDArray[np.int64]]
    targets: Tensor
    targets_host: npt.NDArray[np.int64]
    available: npt.NDArray[np.bool_]
    modalities: tuple[str, ...]
    device: torch.device

    def batch(
        self, rows: npt.NDArray[np.int64], pattern: Pattern | None = None, scratch: Scratch | None = None
    ) -> Batch:
        """Return these rows; with a pattern, as if no other modality were available.

        Args:
            rows: of this split.
            pattern: modalities to show.
            scratch: memory for the inputs, which then hold until the next batch with the same one.
        """
        available = self.available[rows]
        if pattern is not None:
            available = available & np.isin(self.modalities, pattern)
        shown = self.inputs if pattern is None else {name: self.inputs[name] for name in pattern if name in self.inputs}
        inputs = {name: self._take(name, rows[available[:, self.modalities.index(name)]], scratch) for name in shown}
        targets = self.targets.index_select(0, torch.from_numpy(rows).to(self.device, non_blocking=True))
        return Batch(inputs=inputs, available=available, modalities=self.modalities, targets=targets)

    def batches_of(
        self,
        rows: npt.NDArray[np.int64],
        size: int,
        pattern: Pattern | None = None,
        scratch: Scratch | None = None,
    ) -> Iterator[Batch]:
        """Yield these rows in batches of a size, each as `batch` returns it.

        Batches of small samples are taken several at a time: after a step of training nothing of this is in the
        processor's cache, and bringing it back costs more than the samples. Batches of texts differ in width.
        """
        each = sum(info.stored.bytes_per_sample for info in self.infos.values())
        block = size * (1 if self.lengths else max(1, _BLOCK_BYTES // (each * size)))
        for start in range(0, len(rows), block):
            taken = self.batch(rows[start : start + block], pattern, scratch)
            ends = range(size, len(taken) + size, size)
            yield from [taken.part(slice(end - size, min(end, len(taken)))) for end in ends]  # views, all made at once

    def batches(self, size: int, pattern: Pattern | None = None) -> Iterator[Batch]:
        """Yield all rows, each once, texts of like length together: nothing is encoded but padding of a few tokens.

        For evaluation, where a result does not depend on the batch; `in_stored_order` undoes the order.
        """
        for start in range(0, len(self), size):
            yield self.batch(self._by_length[start : start + size], pattern)

    def in_stored_order(self, results: Tensor) -> Tensor:
        """Return results (N, ...) of all `batches`, joined, in the order of the rows."""
        if not self.lengths:
            return results
        places = np.empty(len(self), np.int64)
        places[self._by_length] = np.arange(len(self))
        return results.index_select(0, torch.from_numpy(places).to(results.device))

    @cached_property
    def _by_length(self) -> npt.NDArray[np.int64]:
        """Rows with the shortest texts first, in stored order where they are equally long, (N,)."""
        tokens = sum(self.lengths.values(), start=np.zeros(len(self), np.int64))
        return np.argsort(tokens, kind="stable")

    def has(self, pattern: Pattern) -> npt.NDArray[np.bool_]:
        """Return which rows have the whole pattern, (N,)."""
        return np.asarray(self.available[:, [self.modalities.index(name) for name in pattern]].all(axis=1))

    def masked(self, mask: npt.NDArray[np.bool_]) -> "SplitData":
        """Return the same samples with only what `mask` (N, M) leaves of them."""
        return replace(self, available=self.available & mask)

    def _take(self, name: str, rows: npt.NDArray[np.int64], scratch: Scratch | None) -> Tensor:
        source, info = self.inputs[name], self.infos[name]
        if name in self.lengths:  # a batch is no longer than its longest text
            source = source[:, : int(self.lengths[name][rows].max(initial=1))]
        shape = (len(rows), *source.shape[1:])
        # Only from pinned memory does a copy to the device not wait; torch keeps such memory until the copy is done.
        pinned = source.device != self.device
        if scratch is None or pinned:
            taken = torch.empty(shape, dtype=source.dtype, device=source.device, pin_memory=pinned)
        else:
            taken = scratch.take(f"stored {name}", shape, source.dtype, source.device)
        # index_select copies whole rows: up to ten times as fast as indexing with a tensor
        torch.index_select(source, 0, torch.from_numpy(rows).to(source.device, non_blocking=True), out=taken)
        moved = taken.to(self.device, non_blocking=True)
        if scratch is None or info.storage is None or info.kind == "text":
            return as_input(moved, info)
        room = scratch.take(name, (len(rows), *info.shape), torch.float32, self.device)
        return as_input(moved, info, room)

    def __len__(self) -> int:
        return len(self.sample_ids)


def load_split(prepared: Prepared, split: str, used: tuple[str, ...], compute: Compute) -> SplitData:
    """Return a split with the inputs of the `used` modalities; masks and targets cover all."""
    rows = prepared.rows(split)
    modalities = prepared.info.modalities
    first, last = int(rows[0]), int(rows[-1]) + 1
    # A slice of the memory map costs nothing, and all trials of a node share its pages; anything else is a copy.
    where = slice(first, last) if last - first == len(rows) else rows
    inputs = {name: _tensor(prepared.inputs[name][where], compute) for name in used}
    infos = {name: prepared.info.inputs[name] for name in used}
    texts = (name for name, info in infos.items() if info.kind == "text")
    targets = np.ascontiguousarray(prepared.targets[rows])
    return SplitData(
        sample_ids=[prepared.sample_ids[row] for row in rows],
        inputs=inputs,
        infos=infos,
        lengths={name: _lengths(prepared.inputs[name][where]) for name in texts},
        targets=torch.from_numpy(targets).to(compute.device),
        targets_host=targets,
        available=np.stack([prepared.present[name][rows] for name in modalities], axis=1),
        modalities=modalities,
        device=compute.device,
    )


def order_of_epoch(num_samples: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order of the samples in an epoch; it depends on nothing but the arguments."""
    return np.random.default_rng([seed, epoch]).permutation(num_samples)


def _lengths(tokens: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return the place behind the last id that is not 0, at least 1."""
    behind = tokens.shape[1] - np.argmax(tokens[:, ::-1] != 0, axis=1)
    return np.where((tokens != 0).any(axis=1), behind, 1)


def _tensor(values: npt.NDArray[np.generic], compute: Compute) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # inputs are only read
        tensor = torch.from_numpy(np.ascontiguousarray(values))
    if compute.device.type != "cuda":
        return tensor
    fits = tensor.numel() * tensor.element_size() < _LARGEST_SHARE * compute.free_bytes()
    return tensor.to(compute.device) if fits else tensor
