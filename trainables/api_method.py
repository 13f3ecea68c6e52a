"""The contract of a training method: its loss, its own heads, its predictions; nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn
from torch.nn import Parameter

from search_spaces.modality import Pattern, patterns
from search_spaces.spec import TrialSpec
from trainables.api_card import TASK_TYPES, MethodCard, TaskType
from trainables.api_data import DataInfo, NoParams
from trainables.api_fusion import Fusion
from trainables.api_model import Batch, Features
from trainables.api_rehearsal import Rehearsal, Rehearsed
from trainables.vae import VaeSettings

__all__ = ["Method", "Term"]


@dataclass(frozen=True)
class Term:
    """One term of a training loss: its mean over `count` samples, and its weight in the sum."""

    mean: Tensor
    count: int
    weight: float | Tensor = 1.0


class Method(nn.Module, ABC):
    """A training method: its loss, its own heads and how it predicts. Everything else belongs to the testbed.

    A file `trainables/methods/<key>.py` holds one subclass; its docstring has the equation.

    Args:
        spec: the resolved trial.
        info: the data's shapes and classes.
        fusion: encoders of `uses(...)` and the joint head.
        hyperparameters: an instance of `Hyperparameters`.

    Attributes:
        frozen: modules that losses only read; `receive` makes them, so that no checkpoint has them.
    """

    version: ClassVar[str] = "1"
    """Raise it whenever the same spec gives other numbers."""
    card: ClassVar[MethodCard]
    Hyperparameters: ClassVar[type[Any]] = NoParams
    trains: ClassVar[bool] = True
    """False if it takes a required trial's model as it is."""
    fusions: ClassVar[tuple[str, ...]] = ()
    """Keys of the fusions that it supports; empty if any."""
    task_types: ClassVar[tuple[TaskType, ...]] = TASK_TYPES
    fewest_modalities: ClassVar[int] = 2
    most_modalities: ClassVar[int | None] = None
    needs_complete: ClassVar[bool] = True
    """True if only samples with every modality carry a loss, False if any sample does; see `usable`."""

    def __init__(self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: Any) -> None:
        super().__init__()
        self.spec = spec
        self.info = info
        self.fusion = fusion
        self.hyperparameters = hyperparameters
        self.frozen: dict[str, nn.Module] = {}

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

    @classmethod
    def settle(cls, hyperparameters: Any, fusion: type[Fusion]) -> Any:
        """Return hyperparameters in which nothing is left to be decided; equal trials then have equal specs.

        Raises:
            InvalidValueError: a value does not go with the fusion.
        """
        del fusion
        return hyperparameters

    # What training asks.

    def chosen(self, required: Sequence[str], val_score: Callable[[str], float]) -> Sequence[str]:
        """Return the names of the required trials whose weights it wants.

        `val_score` returns such a trial's validation score: of the full pattern, by its probe, macro F1.
        """
        del val_score
        return required

    def receive(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take the weights (`state_dict`) of the chosen trials, by the names of `requires`."""
        assert not weights, "a method that requires trials takes their weights"

    def usable(self, available: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which training samples any loss term uses, (N,), from (N, M)."""
        return np.asarray(available.all(axis=1) if self.needs_complete else available.any(axis=1))

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Return the features that `losses` and `predict` get; a method that hides inputs hides them here."""
        return self.fusion.encode(batch)

    @abstractmethod
    def losses(self, features: Features, batch: Batch) -> dict[str, Term]:
        """Return the named loss terms of one batch; a term without samples is left out."""

    def before_step(self) -> None:
        """Act between backward and step, for instance on gradients."""

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for epoch 1, 2, ..., `spec.epochs`; an attempt that goes on from a checkpoint begins later."""

    def traces(self) -> Mapping[str, float]:
        """Return what the history shall say of the epoch that ends beside its losses, by name."""
        return {}

    # What training asks of methods that pace their parameters or rehearse.

    def paced_parameters(self) -> Mapping[str, Sequence[Parameter]]:
        """Return the parameters whose steps the method scales, by owner."""
        return {}

    def paces(self) -> Mapping[str, Tensor]:
        """Return what multiplies the learning rate of an owner's parameters in the next step, a scalar each."""
        return {}

    def rehearsals(self, available: npt.NDArray[np.bool_], targets: npt.NDArray[np.int64]) -> Sequence[Rehearsal]:
        """Return the trainings to be made first, from what training samples have (N, M) and are (N,) or (N, C)."""
        del available, targets
        return ()

    def learn(self, rehearsed: Mapping[str, Rehearsed]) -> Mapping[str, float]:
        """Take the rehearsals' losses by term; return what the history shall say of the whole trial, by name."""
        del rehearsed
        return {}

    def judged_by(self, main: Pattern) -> Sequence[Pattern]:
        """Return the patterns whose mean validation score chooses the epoch: what is trained of the main one."""
        return (main,)

    def imputation(self) -> tuple[VaeSettings, bool] | None:
        """Return how missing features are completed before probing, and whether probes are fitted on completed ones.

        None if probes see just the features that are there.
        """
        return None

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

    def term(self, logits: Tensor, batch: Batch, *modalities: str, weight: float | Tensor = 1.0) -> Term | None:
        """Return the criterion averaged over the rows that have all given modalities; None if there are none."""
        rows = batch.rows(*modalities)
        if rows is None:
            return Term(self.criterion(logits, batch.targets), len(batch), weight)
        if len(rows) == 0:
            return None
        return Term(self.criterion(logits[rows], batch.targets[rows]), len(rows), weight)
