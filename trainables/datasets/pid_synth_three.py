"""PIDSynth with a third modality: the same construction."""

from dataclasses import dataclass
from types import MappingProxyType

from trainables.api import DatasetCard
from trainables.datasets._pid_synth_params import PidSynthParams
from trainables.datasets.pid_synth import PidSynth
from trainables.params import number, one_of

__all__ = ["PidSynthThree"]


@dataclass(frozen=True, kw_only=True)
class PidSynthThreeParams(PidSynthParams):
    """As with two modalities, and the same of `c`.

    Attributes:
        c: values of the part that only `c` shows.
        reliability_c: of the cue in `c`.
        amplitude_c: of what `c` shows.
        hidden: also `c`.
    """

    modalities = ("a", "b", "c")

    c: int = number(1, 1, 16)
    reliability_c: float = number(0.9, 0.0, 1.0)
    amplitude_c: float = number(2.0, 0.0, 100.0)
    hidden: str = one_of("none", "a", "b", "c", "all")


class PidSynthThree(PidSynth):
    """PIDSynth with modalities `a`, `b` and `c`; the joint part takes all three."""

    card = DatasetCard(
        title="PIDSynth, three modalities",
        task="a tuple of parts that every, one or only all together of three modalities show",
        licence="none needed",
        source="generated",
        notes="Best accuracies as with two modalities: a part that is not shown has to be guessed. By default 0.451, "
        "0.427, 0.237 and 0.812, at chance 0.125.",
    )
    Params = PidSynthThreeParams
    default_encoders = MappingProxyType(dict.fromkeys(PidSynthThreeParams.modalities, "mlp_tiny"))
