"""The missing masks of training: the one place where a sample loses a modality, which no method can bypass."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from results.draws import available, uniform_draws
from search_spaces.missing_rates import MissingRates

__all__ = ["training_mask"]


def training_mask(
    sample_ids: Sequence[str],
    present: Mapping[str, npt.NDArray[np.bool_]],
    rates: MissingRates,
    seed: int,
) -> npt.NDArray[np.bool_]:
    """Return which modalities each training sample keeps, (N, M) in alphabetical order of `present`.

    Sample i loses modality m iff u(i, m, seed) < rate(m), where u depends on nothing but these three; what the data
    itself lacks stays missing. A sample whose every present modality would go keeps the last of them to go.

    Args:
        sample_ids: ids of the N samples.
        present: modality -> (N,) True where the data has it.
        rates: p_train.
        seed: the trial's seed.
    """
    order = sorted(present)
    natural = np.stack([present[name] for name in order], axis=1)
    if not rates:
        return natural
    draws = {name: uniform_draws(sample_ids, name, [seed], "train")[0] for name in order}
    kept = available(draws, rates) & natural
    lost = natural.any(axis=1) & ~kept.any(axis=1)
    if lost.any():
        order_of_loss = np.stack([draws[name] / max(rates[name], np.finfo(float).tiny) for name in order], axis=1)
        last = np.where(natural, order_of_loss, -1.0)[lost].argmax(axis=1)
        kept[lost] = np.arange(len(order)) == last[:, None]
    return kept
