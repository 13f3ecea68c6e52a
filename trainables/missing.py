"""The missing masks of training: the one place where a sample loses a modality, which no method can bypass."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from results.missing_protocols import protocol_named
from search_spaces.missing_rates import INDEPENDENT, MissingRates

__all__ = ["training_mask"]


def training_mask(
    sample_ids: Sequence[str],
    present: Mapping[str, npt.NDArray[np.bool_]],
    rates: MissingRates,
    seed: int,
    missing: str = INDEPENDENT,
) -> npt.NDArray[np.bool_]:
    """Return which modalities each training sample keeps, (N, M) in alphabetical order of `present`.

    It depends on nothing but the samples' ids, the rates, the seed and the protocol, so it is the same for all methods.
    What the data itself lacks stays missing, and a sample that would lose all it has keeps one modality.

    Args:
        sample_ids: ids of the N samples.
        present: modality -> (N,) True where the data has it.
        rates: p_train, as the protocol settles it.
        seed: the trial's seed.
        missing: name of the protocol, in `results.missing_protocols`.

    Raises:
        UnknownNameError: there is no such protocol.
    """
    return protocol_named(missing).availability(sample_ids, present, rates, seed, "train")
