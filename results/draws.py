"""Common random numbers: one uniform draw per (sample, modality, seed), the same in any order and process."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from search_spaces.missing_rates import MissingRates

__all__ = ["available", "uniform_draws"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_TO_UNIT = 2.0**-53

Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _split_mix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's output function (Steele, Lea and Flood 2014): a bijection that spreads every input bit."""
    for shift, factor in _MIX:
        state = (state ^ (state >> shift)) * factor
    return state ^ (state >> np.uint64(31))


def uniform_draws(sample_ids: Sequence[str], modality: str, seeds: Sequence[int], stream: str) -> Doubles:
    """Return u in [0, 1), shape (len(seeds), len(sample_ids)), not to be written to.

    A draw depends on its sample's id, the modality, the seed and the stream ("train" or "test") and on nothing
    else: neither on the other samples nor on their order, so methods, rates and workers see the same draws.
    """
    return _draws(tuple(sample_ids), modality, tuple(seeds), stream)


@lru_cache(maxsize=4)  # tables ask for the same draws trial by trial
def _draws(sample_ids: tuple[str, ...], modality: str, seeds: tuple[int, ...], stream: str) -> Doubles:
    ids = np.array([_hash64(sample_id) for sample_id in sample_ids], dtype=np.uint64)
    keys = np.array([_hash64(f"{stream}/{modality}/{seed}") for seed in seeds], dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = _split_mix(_split_mix(ids[None, :] * _GOLDEN ^ keys[:, None]) + _GOLDEN)
    draws = (mixed >> np.uint64(11)).astype(np.float64) * _TO_UNIT
    draws.flags.writeable = False
    return draws


def available(draws: Mapping[str, Doubles], rates: MissingRates) -> Bools:
    """Return which modalities stay, shape (..., M) in the mapping's order, given draws of shape (...).

    Modality m of a sample is lost iff u < rate(m). A sample that would lose everything keeps the modality that is
    the last to go when all rates grow in proportion (the largest u / rate). So raising the only positive rate, or all
    in proportion, only ever removes, and raising any one rate never brings back its own modality. It can hand such a
    sample from one modality to another: no rule that depends on the rates alone avoids that on every path.
    """
    chances = [rates[name] for name in draws]
    kept = np.stack([values >= chance for values, chance in zip(draws.values(), chances, strict=True)])
    empty = ~kept.any(axis=0)
    if empty.any():
        last = np.argmax(
            [values[empty] / chance for values, chance in zip(draws.values(), chances, strict=True)], axis=0
        )
        kept[:, empty] = np.arange(len(chances))[:, None] == last
    return np.moveaxis(kept, 0, -1)
