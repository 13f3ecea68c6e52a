"""The processes that train one trial together: who they are, and what they exchange in every step."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from trainables.attempt import Problem, WorkerLostError
from trainables.gathering import Gathered
from trainables.whole_batch import WholeBatch, shares

__all__ = ["ALONE", "ANSWER", "Board", "Workers"]

ANSWER = timedelta(minutes=10)
"""How long a worker waits for the others: they may be reading data, and the leading one may be writing a checkpoint."""
_FAILURE = "failure"


class Board(Protocol):
    """What all workers can write to and read, a store of `torch.distributed`."""

    def check(self, keys: list[str]) -> bool:
        """Tell whether it has the keys."""

    def get(self, key: str) -> bytes:
        """Return what is there."""

    def compare_set(self, key: str, expected: str, wanted: str) -> bytes:
        """Write if what is there is as expected, "" for nothing."""


class Workers:
    """The processes that train one trial together, seen from one of them; all of them hold the same weights.

    Every worker has the whole batch and computes some of its rows; what these give is gathered, and all else is
    computed by every worker alike. So losses, batch statistics and modulation need not know that there are several.

    Args:
        rank: 0 for the one that leads, which alone writes to the store.
        number: of workers.
        device: of the tensors that they exchange.
        group: their connections.
        board: key-value store on the leading worker, for the first failure.
    """

    def __init__(
        self,
        rank: int = 0,
        number: int = 1,
        device: torch.device | None = None,
        group: Any = None,
        board: Board | None = None,
    ) -> None:
        self.rank = rank
        self.number = number
        self.device = device
        self._group = group
        self._board = board

    @property
    def leads(self) -> bool:
        """Tell whether this is the worker that writes to the store."""
        return self.rank == 0

    def spread(self, count: int, compute: Callable[[slice], Tensor]) -> Tensor:
        """Return (count, ...) of which every worker computes some rows, with what `compute` gives for a slice of them.

        Every worker calls it with the same rows and must go on alike with what it returns. Batch normalisation and
        drop-out within are those of all rows, see `WholeBatch`. Fewer rows than workers are computed by each.
        """
        if self.number == 1 or count < self.number:
            return compute(slice(0, count))
        sizes = shares(count, self.number)
        own = slice(sum(sizes[: self.rank]), sum(sizes[: self.rank + 1]))
        with WholeBatch(count, own, self):
            rows = compute(own)
        gathered: Tensor = Gathered.apply(rows, sizes, self)  # type: ignore[no-untyped-call]  # torch declares no types
        return gathered

    def average_gradients(self, module: nn.Module) -> None:
        """Give all workers the mean of their gradients, which is the gradient of the whole batch's loss.

        What `spread` computed has gradients `number` times too large, of the worker's own rows; the rest already has
        the right ones on every worker. A parameter that no worker reached keeps none.
        """
        if self.number == 1:
            return
        own = [parameter for parameter in module.parameters() if parameter.requires_grad]
        reached = torch.tensor([float(one.grad is not None) for one in own], device=self.device)
        parts = [torch.zeros_like(one).flatten() if one.grad is None else one.grad.flatten() for one in own]
        flat = self.total(torch.cat([*parts, reached])).div_(self.number)
        *means, reached = torch.split(flat, [*(one.numel() for one in own), len(own)])
        for parameter, mean, share in zip(own, means, reached.tolist(), strict=True):
            parameter.grad = mean.view_as(parameter).to(parameter.dtype) if share else None

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of what the workers hand in, the same bits on each; `values` may be overwritten."""
        self._exchange(lambda group: group.allreduce([values]))
        return values

    def gather(self, values: Tensor) -> Tensor:
        """Return (number, *shape) of equal shapes."""
        every = values.new_empty(self.number * values.numel())
        self._exchange(lambda group: group._allgather_base(every, values.flatten()))  # noqa: SLF001
        return every.view(self.number, *values.shape)

    def from_leading(self, value: float) -> float:
        """Return the leading worker's value, so that all decide alike."""
        if self.number == 1:
            return value
        return float(self._from_leading(torch.tensor([value], dtype=torch.float64, device=self.device)).item())

    def bytes_from_leading(self, data: bytes | None) -> bytes | None:
        """Return the leading worker's bytes; what the others hand in does not matter."""
        if self.number == 1:
            return data
        length = int(self.from_leading(-1 if data is None else len(data)))
        if length <= 0:
            return None if length < 0 else b""
        held = torch.frombuffer(bytearray(data), dtype=torch.uint8) if self.leads and data else torch.empty(0)
        sent = held if self.leads else torch.empty(length, dtype=torch.uint8)
        return self._from_leading(sent.to(self.device)).cpu().numpy().tobytes()

    def check_equal(self, module: nn.Module) -> None:
        """Make sure that all workers hold the same weights to the bit, and would draw the same random numbers.

        Raises:
            WorkerLostError: they do not; training on would give numbers that no single process gives.
        """
        if self.number == 1:
            return
        state = [tensor.detach().flatten().view(torch.uint8) for tensor in module.state_dict().values()]
        drawn = [torch.rand(8).to(self.device), torch.rand(8, device=self.device)]
        sums = [item.view(torch.uint8).sum(dtype=torch.int64) for item in (*state, *drawn)]
        every = self.gather(torch.stack(sums))
        if not bool((every == every[0]).all()):
            raise WorkerLostError("the trial's workers no longer hold equal weights; are their machines of one kind?")

    def _from_leading(self, values: Tensor) -> Tensor:
        self._exchange(lambda group: group.broadcast([values]))
        return values

    def _exchange(self, ask: Callable[[Any], Any]) -> None:
        try:
            ask(self._group).wait()
        except RuntimeError as error:
            raise self._lost(error) from error

    def _lost(self, seen: RuntimeError) -> WorkerLostError:
        assert self._board is not None, "who has connections has the board"
        try:
            failure = json.loads(self._board.get(_FAILURE)) if self._board.check([_FAILURE]) else None
        except RuntimeError:
            return WorkerLostError("the trial's leading worker, which has the board, ended")
        if failure is None:
            return WorkerLostError(
                f"one of the trial's {self.number} workers was killed, or its machine was lost, or it did not answer "
                f"for {ANSWER.total_seconds():.0f} s: {seen}"
            )
        lost = WorkerLostError(f"worker {failure['worker']} of {self.number}: {failure['error']}", failure["cause"])
        lost.add_note(failure["traceback"])
        return lost

    def report(self, problem: Problem) -> None:
        """Tell the others why this worker is going to leave; the first report is what they raise."""
        assert self._board is not None, "who has others has the board"
        with suppress(RuntimeError):  # without the leading worker nobody is left to be told
            self._board.compare_set(_FAILURE, "", json.dumps({"worker": self.rank + 1, **asdict(problem)}))

    def leave(self) -> None:
        """Close the connections, which ends the others' waiting."""
        self._group = self._board = None  # connections are closed with their last reference

    def __deepcopy__(self, memo: object) -> "Workers":
        """Return itself: copies of a model are of the same process."""
        return self


ALONE = Workers()
"""A trial that one process trains."""
