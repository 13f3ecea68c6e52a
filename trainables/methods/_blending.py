"""The arithmetic of G-Blend: which samples are held out, and what losses before and after make of weights."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from search_spaces.modality import Pattern
from trainables.api import Rehearsed

__all__ = ["RULES", "blend_weights", "blending_facts", "divided", "gain_and_overfitting", "held_out"]

Ints = npt.NDArray[np.int64]

_HOLD_OUT_EVERY = 10
_SMALLEST_OVERFITTING = 1e-6
"""Of O squared: a head that hardly overfits would otherwise take all the weight."""
_MULTIBENCH_GAP = 1e-4


def held_out(available: npt.NDArray[np.bool_], targets: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
    """Return which of N samples are held out, (N,): a seeded tenth of what is available (N, M) and of each class.

    Samples are shuffled, sorted by what they have and are, and every tenth is taken; with several labels per sample
    (N, C) the same is done by label set.
    """
    shuffled = np.random.default_rng([seed]).permutation(len(targets))
    keys = np.column_stack([targets.reshape(len(targets), -1), available])[shuffled]
    chosen = np.zeros(len(targets), dtype=bool)
    chosen[shuffled[np.lexsort(keys.T)][_HOLD_OUT_EVERY // 2 :: _HOLD_OUT_EVERY]] = True
    return chosen


def divided(
    available: npt.NDArray[np.bool_], targets: npt.NDArray[np.int64], seed: int, modalities: tuple[str, ...]
) -> Iterator[tuple[str, Pattern, Ints, Ints]]:
    """Yield each head's term, what it sees, and which samples train and judge it, if there are some on both sides."""
    judging = held_out(available, targets, seed)
    for term, shown in {"joint": Pattern(modalities), **{name: Pattern([name]) for name in modalities}}.items():
        train, held = _sides(available[:, np.isin(modalities, shown)], judging)
        if len(train) and len(held):
            yield term, shown, train, held


def _sides(needed: npt.NDArray[np.bool_], judging: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return which samples train a head and which judge it, of those that have all it needs, (N, needed modalities).

    Where the held-out tenth has none of them, one of them judges.
    """
    has = needed.all(axis=1)
    train, held = np.flatnonzero(has & ~judging), np.flatnonzero(has & judging)
    return (train, held) if len(held) else (train[:-1], train[-1:])


def gain_and_overfitting(head: Rehearsed) -> tuple[float, float]:
    """Return G = V - V' and O = (V' - T') - (V - T): V held out, T of training, before and after (')."""
    gap_before = head.held_out_before - head.train_before
    gap_after = head.held_out_after - head.train_after
    return head.held_out_before - head.held_out_after, gap_after - gap_before


def blending_facts(weights: Mapping[str, float], heads: Mapping[str, Rehearsed]) -> dict[str, float]:
    """Return what the history says of an estimate: the weights, and the raw G and O."""
    raw = {term: gain_and_overfitting(head) for term, head in heads.items()}
    return {
        **{f"gblend/{term}/weight": weight for term, weight in weights.items()},
        **{f"gblend/{term}/{name}": x for term, pair in raw.items() for name, x in zip("GO", pair, strict=True)},
    }


def _ratio(gain: float, overfitting: float) -> float:
    return gain / max(overfitting**2, _SMALLEST_OVERFITTING)


def _clamped(head: Rehearsed, batch_size: int) -> float:
    del batch_size
    gain, overfitting = gain_and_overfitting(head)
    return _ratio(max(gain, 0.0), overfitting)


def _signed(head: Rehearsed, batch_size: int) -> float:
    del batch_size
    gain, overfitting = gain_and_overfitting(head)
    return _ratio(gain, overfitting)


def _absolute(head: Rehearsed, batch_size: int) -> float:
    return abs(_signed(head, batch_size))


def _final_loss(head: Rehearsed, batch_size: int) -> float:
    del batch_size
    gap = head.held_out_after - head.train_after
    return head.held_out_after / (gap if gap > 0 else _MULTIBENCH_GAP) ** 2


def _summed_batches(head: Rehearsed, batch_size: int) -> float:
    train, val = (-(-count // batch_size) for count in (head.num_train, head.num_held_out))
    overfitting = (val * head.held_out_after - train * head.train_after) - (
        val * head.held_out_before - train * head.train_before
    )
    return abs(_ratio(val * (head.held_out_before - head.held_out_after), overfitting))


_RULES: Mapping[str, Callable[[Rehearsed, int], float]] = {
    "clamped": _clamped,
    "signed": _signed,
    "absolute": _absolute,
    "multibench_differences": _absolute,
    "multibench_final": _final_loss,
    "summed_batches": _summed_batches,
}
RULES = tuple(_RULES)
"""`clamped`: G / O^2, a head that gets worse counting nothing. `signed`, `absolute`: the same with G or |G|.
`multibench_differences`, `multibench_final`: MultiBench with and without `delta`; the latter, its default, takes the
final loss for G and the final gap for O. `summed_batches`: BalanceBenchmark, which adds up batches' losses."""


def blend_weights(heads: Mapping[str, Rehearsed], rule: str, batch_size: int) -> dict[str, float]:
    """Return each head's weight by a rule of `RULES`, normalised to sum one; uniform if nothing has been gained."""
    raw = {name: _RULES[rule](head, batch_size) for name, head in heads.items()}
    total = sum(raw.values())  # below zero by the rule `signed`: dividing by it would reward what gets worse
    return {name: value / total if total > 0 else 1 / len(raw) for name, value in raw.items()}
