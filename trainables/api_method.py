"""The contract of a training method: its loss, its own heads, its predictions; nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from search_spaces.modality import Pattern, patterns
from search_spaces.spec import TrialSpec
from trainables.api_data import DataInfo, NoParams
from trainables.api_model import Batch, Features, Fusion

__all__ = ["Method", "MethodCard", "Term"]


@dataclass(frozen=True)
class Term:
    """One term of a training loss: its mean over `count` samples, and its weight in the sum."""

    mean: Tensor
    count: int
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class MethodCard:
    """What `mmpt show` prints about a method, and its name in tables."""

    title: str
    paper: str
    idea: str


class Method(nn.Module, ABC):
    """A training method: its loss, its own heads and how it predicts. Everything else belongs to the testbed.

    A file `trainables/methods/<key>.py` holds one subclass; its docstring has the equation.

    Args:
        spec: the resolved trial.
        info: the data's shapes and classes.
        fusion: encoders of `uses(...)` and the joint head.
        hyperparameters: an instance of `Hyperparameters`.
    """

    version: ClassVar[str] = "1"
    """Raise it whenever the same spec gives other numbers."""
    card: ClassVar[MethodCard]
    Hyperparameters: ClassVar[type[Any]] = NoParams
    needs_complete: ClassVar[bool] = True
    """True if only samples with every modality carry a loss, False if any sample does; see `usable`."""

    def __init__(self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: Any) -> None:
        super().__init__()
        self.spec = spec
        self.info = info
        self.fusion = fusion
        self.hyperparameters = hyperparameters

    # What planning asks, without building anything.

    @classmethod
    def uses(cls, hyperparameters: Any, modalities: tuple[str, ...]) -> tuple[str, ...]:
        """Modalities that the method trains on; the others' missing rates do not matter to it."""
        del hyperparameters
        return modalities

    @classmethod
    def reports(cls, hyperparameters: Any, modalities: tuple[str, ...]) -> tuple[Pattern, ...]:
        """Patterns for which this trial stands in the method's profile, its main task first."""
        return patterns(cls.uses(hyperparameters, modalities))

    @classmethod
    def requires(cls, spec: TrialSpec, hyperparameters: Any, modalities: tuple[str, ...]) -> Mapping[str, TrialSpec]:
        """Trials that must be finished first, by the name under which their weights reach `receive`."""
        del spec, hyperparameters, modalities
        return {}

    # What training asks.

    def receive(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take the weights (`state_dict`) of the required trials, by the names of `requires`."""
        assert not weights, "a method that requires trials takes their weights"

    def usable(self, available: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which training samples any loss term uses, (N,), from (N, M)."""
        return np.asarray(available.all(axis=1) if self.needs_complete else available.any(axis=1))

    @abstractmethod
    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the named loss terms of one batch; a term without samples is left out."""

    def before_step(self) -> None:
        """Act between backward and step, for instance on gradients."""

    def predict(self, features: Features, pattern: Pattern) -> Tensor | None:
        """The method's own logits (B, C) when `pattern` is available, or None if it does not predict then.

        `features` holds exactly the pattern's modalities; the default fills the others with zero features.
        """
        del pattern
        return self.fusion.fused_logits(features)

    # What every loss needs.

    def criterion(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy, or mean binary cross-entropy over samples and classes if multi-label."""
        if self.info.multi_label:
            return nn.functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))
        return nn.functional.cross_entropy(logits, targets)

    def term(self, logits: Tensor, batch: Batch, *modalities: str, weight: float = 1.0) -> Term | None:
        """Return the criterion averaged over the rows that have all given modalities; None if there are none."""
        rows = batch.rows(*modalities)
        if rows is None:
            return Term(self.criterion(logits, batch.targets), len(batch), weight)
        if len(rows) == 0:
            return None
        return Term(self.criterion(logits[rows], batch.targets[rows]), len(rows), weight)
