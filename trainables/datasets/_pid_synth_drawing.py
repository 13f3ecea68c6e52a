"""Drawing PIDSynth: parts of the class, their cues, and vectors that show them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.api import RawData
from trainables.datasets._pid_synth_params import PidSynthParams

__all__ = ["BLOCK", "draw"]

BLOCK = 16
"""Features that show one cue."""
_MOST_VALUES = 16
_TEMPLATES_SEED = 1

Numbers = npt.NDArray[Any]


def draw(params: PidSynthParams) -> RawData:
    """Draw all samples: the parts, which are the class, their cues, and what each modality shows of them.

    Every modality shows the shared cue, its own, and a number; the numbers add up to the joint cue, and any of them
    alone says nothing about it.
    """
    generator = np.random.default_rng(params.seed)
    sizes = {"train": params.train, "val": params.train // 4, "test": params.train // 2}
    total = sum(sizes.values())
    parts = {part: generator.integers(0, count, total) for part, count in params.values.items()}
    cues = {p: _cue(generator, parts[p], k, params.reliabilities[p]) for p, k in params.values.items()}
    free = [generator.integers(0, params.joint, total) for _ in params.modalities[1:]]
    numbers = (*free, (cues["joint"] - np.sum(free, axis=0)) % params.joint)
    inputs = {
        name: _show(generator, (cues["shared"], cues[name], own), name, params)
        for name, own in zip(params.modalities, numbers, strict=True)
    }
    return RawData(
        sample_ids=[f"pid{index}" for index in range(total)],
        splits=[split for split, count in sizes.items() for _ in range(count)],
        groups=[""] * total,
        targets=_targets(parts, params),
        inputs=inputs,
    )


def _cue(generator: np.random.Generator, part: Numbers, values: int, right: float) -> Numbers:
    """Replace each value, with probability 1 - right, by one of the others."""
    shift = generator.integers(1, max(2, values), len(part))
    return np.where(generator.random(len(part)) < right, part, (part + shift) % values)


def _show(
    generator: np.random.Generator, cues: tuple[Numbers, ...], modality: str, params: PidSynthParams
) -> npt.NDArray[np.float32]:
    """Return (N, 3 BLOCK): a fixed pattern of +-1 per cue and value times the amplitude, plus standard normal noise."""
    fixed = np.random.default_rng([_TEMPLATES_SEED, params.modalities.index(modality)])
    templates = fixed.choice([-1.0, 1.0], size=(len(cues), _MOST_VALUES, BLOCK))
    blocks = [template[cue] for template, cue in zip(templates, cues, strict=True)]
    if params.hidden in (modality, "all"):
        blocks = [block * generator.choice([-1.0, 1.0], size=(len(block), 1)) for block in blocks]
    noise = generator.normal(size=(len(cues[0]), len(cues) * BLOCK))
    return (params.amplitude(modality) * np.concatenate(blocks, axis=1) + noise).astype(np.float32)


def _targets(parts: Mapping[str, Numbers], params: PidSynthParams) -> npt.NDArray[np.int64]:
    if params.labels == "multi":
        hot = [np.eye(count)[parts[part]] for part, count in params.values.items() if count > 1]
        return np.concatenate(hot, axis=1).astype(np.int64)
    combined = np.zeros(len(parts["shared"]), dtype=np.int64)
    for part, count in params.values.items():
        combined = combined * count + parts[part]
    return combined
