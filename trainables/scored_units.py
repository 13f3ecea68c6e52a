"""What of a validation or test split is scored: its samples, or groups of them whose logits are averaged."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["ScoredUnits"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredUnits:
    """What of a split is scored: its samples, or its groups.

    Attributes:
        ids: of the units.
        first_rows: (U,) row in the data set of each unit's first sample, ascending.
        unit_of: (N,) number of the unit of each sample of the split; None where each is its own.
    """

    ids: list[str]
    first_rows: npt.NDArray[np.int64]
    unit_of: npt.NDArray[np.int64] | None

    @classmethod
    def of(
        cls,
        rows: npt.NDArray[np.int64],
        sample_ids: npt.NDArray[np.str_],
        groups: npt.NDArray[np.str_] | None,
    ) -> Self:
        """Find the units of a split's samples: their groups, a sample without one being its own, else the samples."""
        if groups is None:
            return cls(ids=sample_ids.tolist(), first_rows=rows, unit_of=None)
        names = np.where(groups == "", sample_ids, groups)
        _, first, unit_of = np.unique(names, return_index=True, return_inverse=True)
        order = np.argsort(first)  # units in the order of their first samples
        return cls(ids=names[first[order]].tolist(), first_rows=rows[first[order]], unit_of=np.argsort(order)[unit_of])

    def pooled(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the mean of the logits (N, C) over each unit's samples, (U, C)."""
        if self.unit_of is None:
            return logits
        total = np.zeros((len(self.ids), logits.shape[1]))
        np.add.at(total, self.unit_of, logits)
        return (total / np.bincount(self.unit_of)[:, None]).astype(np.float32)
