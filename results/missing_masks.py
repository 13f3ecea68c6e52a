"""What a missing protocol is: a paper's way of taking modalities away, the same in training and at test time."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from results.draws import uniform_draws
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern
from search_spaces.spec import canonical_json

__all__ = ["Bools", "Doubles", "MissingProtocol", "lowest", "mask_fingerprint", "pattern_masks"]

Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

_FINGERPRINT_CHARACTERS = 16


class MissingProtocol(ABC):
    """A rule that says which sample loses which modality.

    Every draw it needs depends on the sample's id, the seed and the split alone (`results.draws`), so the order of the
    samples and the number of workers never matter. A modality whose rate is zero is never lost.

    Attributes:
        version: raise it whenever the masks change; it is part of a trial's identity.
        sentence: how modalities go missing, for captions.
        source: where the rule comes from.
        averages_patterns: at test time every sample is seen under each of the patterns, and a score is the mean of
            the patterns' scores; nothing is drawn.
    """

    version: str = "1"
    sentence: str
    source: str
    averages_patterns: bool = False

    def implied(self, modalities: Sequence[str]) -> MissingRates:
        """Return the p_train of a trial that names none: zero, unless the protocol leaves no choice."""
        del modalities
        return MissingRates()

    def settle(self, rates: MissingRates, modalities: Sequence[str]) -> MissingRates:
        """Return the rates that the protocol has when asked for these, spelled out by modality.

        Raises:
            UnknownNameError: a rate is given for a modality that the data set lacks.
            InvalidValueError: the protocol has no such rates.
        """
        return rates.resolve(modalities)

    @abstractmethod
    def kept(
        self,
        sample_ids: Sequence[str],
        modalities: Sequence[str],
        rates: MissingRates,
        seeds: Sequence[int],
        split: str,
    ) -> Bools:
        """Return which modalities complete samples keep, at least one each: (S, N, M), modalities alphabetical.

        Args:
            sample_ids: ids of the N samples of the split.
            modalities: of the data set, sorted.
            rates: as `settle` returns them.
            seeds: of the S masks.
            split: `train` or `test`.
        """

    @abstractmethod
    def shares(self, modalities: Sequence[str], rates: MissingRates, num_samples: int) -> dict[Pattern, float]:
        """Return the probability of each possible pattern for a sample, exactly; `rates` as `settle` returns them."""

    def staying_power(
        self, sample_ids: Sequence[str], modalities: Sequence[str], rates: MissingRates, seed: int, split: str
    ) -> Doubles:
        """Return (N, M) numbers: of a sample that would lose all it has, the modality with the highest stays."""
        del rates
        return np.stack([uniform_draws(sample_ids, f"stays:{name}", [seed], split)[0] for name in modalities], axis=1)

    def availability(
        self, sample_ids: Sequence[str], present: Mapping[str, Bools], rates: MissingRates, seed: int, split: str
    ) -> Bools:
        """Return the mask of data that may lack modalities by itself, (N, M) in alphabetical order of `present`.

        What the data lacks stays missing, and nothing makes up for it; a sample that would lose every modality it has
        keeps one.

        Args:
            sample_ids: ids of the N samples.
            present: modality -> (N,) True where the data has it.
            rates: as `settle` returns them.
            seed: the trial's seed.
            split: `train` or `test`.
        """
        order = sorted(present)
        natural = np.stack([present[name] for name in order], axis=1)
        if not rates:
            return natural
        kept: Bools = self.kept(sample_ids, order, rates, [seed], split)[0] & natural
        lost = natural.any(axis=1) & ~kept.any(axis=1)
        if lost.any():
            power = self.staying_power(sample_ids, order, rates, seed, split)
            kept[lost] = np.arange(len(order)) == np.where(natural, power, -1.0)[lost].argmax(axis=1)[:, None]
        return kept


def lowest(values: Doubles, count: int) -> Bools:
    """Return where the `count` lowest values of each row are; without ties exactly that many, whatever their order."""
    if count <= 0:
        return np.zeros(values.shape, dtype=bool)
    chosen: Bools = values <= np.partition(values, count - 1, axis=-1)[..., count - 1 : count]
    return chosen


def pattern_masks(
    kept: Bools, modalities: Sequence[str], rates: MissingRates, among: Sequence[Pattern]
) -> Iterator[tuple[Pattern, Bools]]:
    """For each of the patterns `among`, where exactly it is kept: masks that lack the last axis of `kept`."""
    for pattern in among:
        states = [kept[..., place] == (name in pattern) for place, name in enumerate(modalities) if rates[name] > 0]
        yield pattern, np.logical_and.reduce(states) if states else np.ones(kept.shape[:-1], dtype=bool)


def mask_fingerprint(sample_ids: Sequence[str], modalities: Sequence[str], mask: Bools) -> str:
    """Return 16 hex digits of a hash of a mask's content: equal for equal masks, whatever the order of the samples.

    Args:
        sample_ids: ids of the N samples, each once.
        modalities: names of the M columns.
        mask: (N, M), which sample has which modality.
    """
    rows = sorted(range(len(sample_ids)), key=sample_ids.__getitem__)
    columns = sorted(range(len(modalities)), key=modalities.__getitem__)
    names = canonical_json([[modalities[place] for place in columns], [sample_ids[row] for row in rows]])
    content = hashlib.sha256(names.encode())
    content.update(np.packbits(mask[np.ix_(rows, columns)]).tobytes())
    return content.hexdigest()[:_FINGERPRINT_CHARACTERS]
