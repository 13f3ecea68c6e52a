"""What looks across the rows of a batch, or draws for each of them, when a worker computes only some of them."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from search_spaces.errors import MmptError
from trainables.gathering import Exchange, Totalled

__all__ = ["RowsError", "WholeBatch", "shares"]


class RowsError(MmptError):
    """An encoder draws random numbers in a way that several workers cannot share."""


def shares(count: int, number: int) -> list[int]:
    """Return how many of `count` rows each worker computes; the first ones get one more where they do not divide.

    >>> shares(8, 3)
    [3, 3, 2]
    """
    return [count // number + (rank < count % number) for rank in range(number)]


class WholeBatch(TorchFunctionMode):
    """Makes a computation on some rows give what it would give them among all rows.

    Batch normalisation takes its statistics from all rows. Drop-out, also that of attention, draws for all rows and
    uses its own, so that all workers' generators stay equal, and equal to a single process's. Whatever else draws is
    refused. When a single process computes attention with drop-out on a GPU, its kernel draws: there the numbers of
    one worker and of several are equal in distribution only, while those of two and of four are equal.

    Args:
        count: of all rows.
        own: which of them are computed here.
        workers: of the trial.
    """

    def __init__(self, count: int, own: slice, workers: Exchange) -> None:
        super().__init__()
        self.count = count
        self.own = own
        self.workers = workers
        self._generators = _generators()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]  # torch declares no types here
        if kind is None:
            self._check_draws()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace the functions that are not row by row."""
        del types
        kwargs = kwargs or {}
        if func in _REPLACED:
            return _REPLACED[func](self, *args, **kwargs)
        return func(*args, **kwargs)

    def _batch_norm(  # noqa: PLR0917 (torch's signature)
        self,
        values: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not training:
            return functional.batch_norm(values, running_mean, running_var, weight, bias, False, momentum, eps)
        axes = [axis for axis in range(values.dim()) if axis != 1]
        per_channel = (1, -1, *(1,) * (values.dim() - 2))
        number = self._per_row(values) * self.count * (values[0, 0].numel())
        x = values.to(torch.promote_types(values.dtype, torch.float32))
        mean = self._total(x.sum(axes)) / number
        centred = x - mean.view(per_channel)
        variance = self._total(centred.square().sum(axes)) / number
        with torch.no_grad():
            if running_mean is not None and running_var is not None:
                running_mean.lerp_(mean.to(running_mean.dtype), momentum)
                running_var.lerp_((variance * (number / (number - 1))).to(running_var.dtype), momentum)
        normal = centred * torch.rsqrt(variance + eps).view(per_channel)
        normal = normal if weight is None else normal * weight.view(per_channel)
        return (normal if bias is None else normal + bias.view(per_channel)).to(values.dtype)

    def _dropout(
        self,
        values: Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> Tensor:
        if not training or p == 0.0:
            return values
        factor = self._per_row(values)
        every = torch.ones(factor * self.count, *values.shape[1:], dtype=values.dtype, device=values.device)
        self._check_draws()
        kept = functional.dropout(every, p)[factor * self.own.start : factor * self.own.stop]
        self._generators = _generators()
        return values.mul_(kept) if inplace else values * kept

    def _attention(  # noqa: PLR0917 (torch's signature)
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        if dropout_p == 0.0:
            return functional.scaled_dot_product_attention(
                query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa
            )
        if is_causal or enable_gqa:
            raise RowsError("causal or grouped attention with drop-out cannot be shared: use workers_per_trial 1")
        root = (query.shape[-1] ** -0.5 if scale is None else scale) ** 0.5
        scores = (query * root) @ (key * root).mT
        if attn_mask is not None:
            hides = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if hides else scores + attn_mask
        return self._dropout(scores.softmax(dim=-1), dropout_p) @ value

    def _check_draws(self) -> None:
        if any(not torch.equal(*pair) for pair in zip(self._generators, _generators(), strict=True)):
            raise RowsError(
                "an encoder draws random numbers in another way than by torch's dropout and "
                "scaled_dot_product_attention, which several workers cannot share: use workers_per_trial 1"
            )

    def _per_row(self, values: Tensor) -> int:
        """Return how many entries of the first axis belong to a row, such as the frames of a clip."""
        own: int = self.own.stop - self.own.start
        factor, rest = divmod(len(values), own)
        if rest or not factor:
            raise RowsError(
                "drop-out or batch normalisation on a modality that some rows lack, within early fusion, "
                "cannot be shared: use workers_per_trial 1"
            )
        return factor

    def _total(self, values: Tensor) -> Tensor:
        total: Tensor = Totalled.apply(values, self.workers)  # type: ignore[no-untyped-call]  # torch declares no types
        return total


def _generators() -> list[Tensor]:
    """Return the states of the generators that encoders draw from."""
    on_device = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch declares no types here
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if on_device else [])]


_REPLACED: Mapping[Callable[..., Any], Callable[..., Any]] = {
    functional.batch_norm: WholeBatch._batch_norm,  # noqa: SLF001
    functional.dropout: WholeBatch._dropout,  # noqa: SLF001
    functional.scaled_dot_product_attention: WholeBatch._attention,  # noqa: SLF001
}
