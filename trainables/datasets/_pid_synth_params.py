"""What PIDSynth is made of, and what follows from it in closed form: best accuracies and bits of information."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2, prod
from types import MappingProxyType
from typing import ClassVar

from search_spaces.errors import InvalidValueError
from search_spaces.spec import Value
from trainables.params import number, one_of

__all__ = ["PID_SYNTH_PRESETS", "PidSynthParams", "ceilings", "check", "information_bits"]


@dataclass(frozen=True, kw_only=True)
class PidSynthParams:
    """What is where, how reliably, and how visibly.

    Attributes:
        shared: values of the part of the class that every modality shows; 1 leaves a part out.
        a: values of the part that only `a` shows.
        b: values of the part that only `b` shows.
        joint: values of the part that only all modalities together show.
        reliability_shared: probability that the cue of a part is right; at least 1 / its values.
        reliability_a: of the cue in `a`.
        reliability_b: of the cue in `b`.
        reliability_joint: of the joint cue.
        amplitude_a: of what `a` shows, against noise of standard deviation 1.
        amplitude_b: of what `b` shows.
        hidden: modalities whose cues have a random sign, so that no linear map of the input decodes them.
        labels: `single` numbers the combinations; `multi` gives one label per value of each part.
        train: training samples; validation has a quarter of that, test half.
        seed: of all draws.
    """

    modalities: ClassVar[tuple[str, ...]] = ("a", "b")

    shared: int = number(2, 1, 16)
    a: int = number(2, 1, 16)
    b: int = number(2, 1, 16)
    joint: int = number(1, 1, 16)
    reliability_shared: float = number(0.95, 0.0, 1.0)
    reliability_a: float = number(0.95, 0.0, 1.0)
    reliability_b: float = number(0.9, 0.0, 1.0)
    reliability_joint: float = number(0.95, 0.0, 1.0)
    amplitude_a: float = number(2.0, 0.0, 100.0)
    amplitude_b: float = number(2.0, 0.0, 100.0)
    hidden: str = one_of("none", "a", "b", "all")
    labels: str = one_of("single", "multi")
    train: int = number(2000, 40, 1_000_000)
    seed: int = number(0, 0, 2**31 - 1)

    @property
    def values(self) -> dict[str, int]:
        """Number of values of each part, in the order of the class's tuple."""
        return {part: getattr(self, part) for part in ("shared", *self.modalities, "joint")}

    @property
    def reliabilities(self) -> dict[str, float]:
        """Probability that each part's cue is right; 1 for a part that is left out."""
        return {p: float(getattr(self, f"reliability_{p}")) if k > 1 else 1.0 for p, k in self.values.items()}

    def amplitude(self, modality: str) -> float:
        """How visible a modality's cues are."""
        return float(getattr(self, f"amplitude_{modality}"))


PID_SYNTH_PRESETS: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "tiny": {"train": 200},
        "redundant": {"shared": 8, "a": 1, "b": 1, "reliability_shared": 0.9},
        "complementary": {"shared": 2, "a": 2, "b": 2, "joint": 1},
        "a_dominant": {"shared": 5, "a": 2, "b": 1, "reliability_shared": 0.85},
        "b_dominant": {"shared": 5, "a": 1, "b": 2, "reliability_shared": 0.85, "reliability_b": 0.95},
        "synergy": {"shared": 4, "a": 1, "b": 1, "joint": 2, "train": 8000},
        "mixed": {"joint": 2, "reliability_b": 0.95, "train": 8000},
    }
)
"""Which part of the information there is; the last two need more samples to be learned."""


def check(params: PidSynthParams) -> None:
    """Check what depends on several parameters.

    Raises:
        InvalidValueError: a reliability is below chance, or there is only one class.
    """
    for part, right in params.reliabilities.items():
        if right < 1.0 / params.values[part]:
            allowed = f"at least chance, {1.0 / params.values[part]:g}"
            raise InvalidValueError(f"pid_synth.reliability_{part}", right, allowed)
    if set(params.values.values()) == {1}:
        raise InvalidValueError("pid_synth.shared", params.shared, "2 or more values in at least one part")


def ceilings(params: PidSynthParams) -> dict[str, float]:
    """Return the best accuracy from each modality and from all, where cues can be read without error (single label).

    A part that is not shown has to be guessed, a shown one is right as often as its cue:
    a: r_shared r_a / (K_b ... K_joint); all: the product of all r.
    """
    right, values = params.reliabilities, params.values
    best = {name: _product_over(right, values, {"shared", name}) for name in params.modalities}
    return {**best, "-".join(params.modalities): prod(right.values())}


def _product_over(right: Mapping[str, float], values: Mapping[str, int], shown: set[str]) -> float:
    return prod(right[part] if part in shown else 1.0 / values[part] for part in values)


def information_bits(params: PidSynthParams) -> dict[str, float]:
    """Return the redundant, unique and synergistic bits by part: log2 K - H(r) of its cue."""
    return {part: _bits(values, params.reliabilities[part]) for part, values in params.values.items()}


def _bits(values: int, right: float) -> float:
    wrong = 1.0 - right
    entropy = -right * log2(right) if right else 0.0
    entropy -= wrong * log2(wrong / (values - 1)) if wrong and values > 1 else 0.0
    return log2(values) - entropy
