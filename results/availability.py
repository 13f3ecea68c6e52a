"""Words for what is there: missing rates as shares of the samples that have a modality, as U2A's tables spell them."""

from collections.abc import Sequence

from search_spaces.missing_rates import MissingRates

__all__ = ["availability", "availability_order"]


def availability(rates: MissingRates, modalities: Sequence[str]) -> str:
    """Return which share of the samples has each modality.

    >>> availability(MissingRates({"image": 0.7}), ["image", "text"])
    'image 30 %, text 100 %'
    >>> availability(MissingRates(), ["image", "text"])
    'complete'
    """
    if not rates:
        return "complete"
    return ", ".join(f"{name.replace('_', ' ')} {100 * (1 - rates[name]):g} %" for name in modalities)


def availability_order(rates: MissingRates, modalities: Sequence[str]) -> tuple[bool, *tuple[float, ...]]:
    """Return a sort key: complete first, then by the shares that are there, of the first modality first."""
    return (bool(rates), *(1 - rates[name] for name in modalities))
