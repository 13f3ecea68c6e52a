"""Trials that are written once and stand for one trial per modality of their data set."""

from collections.abc import Iterable

from search_spaces.modality import EACH
from search_spaces.spec import TrialSpec
from trainables.catalogs import DATASETS

__all__ = ["spread_modalities"]


def spread_modalities(specs: Iterable[TrialSpec]) -> list[TrialSpec]:
    """Return the specs with every `each` among a method's parameters replaced by each modality in turn.

    Raises:
        UnknownNameError: there is no such data set.
    """
    return [one for spec in specs for one in _spread(spec)]


def _spread(spec: TrialSpec) -> list[TrialSpec]:
    open_names = [name for name, value in spec.method_params.items() if value == EACH]
    if not open_names:
        return [spec]
    modalities = sorted(DATASETS.get(spec.dataset).modalities())
    chosen = [{**spec.method_params, open_names[0]: modality} for modality in modalities]
    return spread_modalities(spec.replace(method_params=params) for params in chosen)
