"""Which availability patterns samples are left with at given missing rates, and how often."""

from collections.abc import Sequence
from itertools import product
from math import prod

from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

__all__ = ["pattern_shares", "possible_patterns"]


def possible_patterns(modalities: Sequence[str], rates: MissingRates) -> list[Pattern]:
    """Return every pattern that a sample can be left with at these rates.

    >>> [pattern.key for pattern in possible_patterns(["audio", "image"], MissingRates({"audio": 0.3}))]
    ['audio-image', 'image']
    """
    states = [[True] * (rates[name] < 1) + [False] * (rates[name] > 0) for name in modalities]
    chosen = [[name for name, kept in zip(modalities, state, strict=True) if kept] for state in product(*states)]
    found = {Pattern(names) for names in chosen if names}
    if not all(chosen):  # whoever would lose everything keeps one modality, which can be any
        found.update(Pattern([name]) for name in modalities)
    return sorted(found, key=lambda pattern: (-len(pattern), pattern))


def pattern_shares(modalities: Sequence[str], rates: MissingRates) -> dict[Pattern, float]:
    """Return each possible pattern's probability, exactly: modalities go missing independently of each other.

    A sample that would lose all keeps the modality whose draw is the largest relative to its rate; given that all are
    lost those ratios are uniform and independent, so each modality is kept with the same probability.

    >>> pattern_shares(["audio", "image"], MissingRates({"audio": 0.25}))
    {('audio', 'image'): 0.75, ('image',): 0.25}
    """
    everything_lost = prod(rates[name] for name in modalities)
    shares = {}
    for pattern in possible_patterns(modalities, rates):
        own = prod(1 - rates[name] if name in pattern else rates[name] for name in modalities)
        shares[pattern] = own + (everything_lost / len(modalities) if len(pattern) == 1 else 0.0)
    return shares
