"""What a method asks of trainings that come before the real one, and what it learns from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from search_spaces.modality import Pattern
from trainables.api_model import Batch, Features

if TYPE_CHECKING:
    from trainables.api_method import Term

__all__ = ["Rehearsal", "Rehearsed"]


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """One training from the initial weights, as long as the real one, on one loss term alone.

    Attributes:
        term: its name.
        loss: gives it from the features and a batch of the `pattern`; None without samples.
        pattern: the modalities that batches show, so that no other encoder computes.
        train_rows: training samples to learn from; all of them have the term.
        held_out_rows: training samples to be judged by; all of them have the term.
    """

    term: str
    loss: "Callable[[Features, Batch], Term | None]"
    pattern: Pattern
    train_rows: npt.NDArray[np.int64]
    held_out_rows: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """Mean losses per sample before and after a rehearsal, in evaluation mode, and over how many samples."""

    train_before: float
    held_out_before: float
    train_after: float
    held_out_after: float
    num_train: int
    num_held_out: int
