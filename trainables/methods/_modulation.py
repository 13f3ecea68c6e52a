"""Methods that slow down single encoders: what all of them need beside the coefficients themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Self

import torch
from torch import Tensor
from torch.nn import Parameter

from search_spaces.errors import InvalidValueError
from search_spaces.spec import TrialSpec
from trainables.api import DataInfo, Features, Fusion, Method
from trainables.params import number, one_of, switch

__all__ = ["Modulating", "ModulationHyperparameters", "add_noise"]

_SETTLED = {False: "learning_rate", True: "gradient"}


@dataclass(frozen=True, kw_only=True)
class ModulationHyperparameters:
    """When and what is modulated.

    Attributes:
        window_start, window_end: fractions of training between which encoders are modulated; the last epoch counts.
        noise: whether Gaussian noise is added to the gradients of encoders in the window.
        modulation: of the `learning_rate` or the `gradient`; `auto` takes the former for separate encoders and the
            latter for shared ones, and each is refused where the other is taken.
    """

    window_start: float = number(0.0, 0.0, 1.0)
    window_end: float = number(0.5, 0.0, 1.0)
    noise: bool = switch(default=True)
    modulation: str = one_of("auto", "gradient", "learning_rate")

    def check(self, *, shared: bool) -> None:
        """Refuse what does nothing.

        Raises:
            InvalidValueError: the window is empty, an encoder that modalities share has one learning rate, or the
                gradients of separate encoders are to be scaled, which AdamW undoes.
        """
        if self.window_start >= self.window_end:
            raise InvalidValueError("window_end", self.window_end, f"a fraction above window_start {self.window_start}")
        if shared and self.modulation == "learning_rate":
            raise InvalidValueError("modulation", self.modulation, "gradient or auto where modalities share an encoder")
        if not shared and self.modulation == "gradient":
            allowed = (
                "learning_rate or auto where encoders are separate: AdamW undoes a factor of all of their gradients"
            )
            raise InvalidValueError("modulation", self.modulation, allowed)

    def settled(self, *, shared: bool) -> Self:
        """Decide what `auto` means."""
        return replace(self, modulation=_SETTLED[shared]) if self.modulation == "auto" else self


class Modulating(Method):
    """A method that gives each step a coefficient per modality to `modulate`.

    AdamW divides gradients by their own size, so that a factor of an encoder's gradients does nothing: `learning_rate`
    multiplies its step instead, noise included and weight decay not. `gradient` hooks z^m, which is the same as scaling
    every gradient of the encoder, and re-weights the modalities' paths through shared weights, which AdamW keeps; noise
    on shared weights follows their gradient as it then is.
    """

    def __init__(
        self, spec: TrialSpec, info: DataInfo, fusion: Fusion, hyperparameters: ModulationHyperparameters
    ) -> None:
        super().__init__(spec, info, fusion, hyperparameters.settled(shared=fusion.depends_on_pattern))
        self.paced = self.hyperparameters.modulation == "learning_rate"
        self.encoder_parameters = {name: items for name, items in fusion.owners().items() if name != "head"}
        self.begin_epoch(1)

    @classmethod
    def settle(cls, hyperparameters: ModulationHyperparameters, fusion: type[Fusion]) -> ModulationHyperparameters:
        """Decide what `auto` means for the fusion, and refuse what does nothing there."""
        hyperparameters.check(shared=fusion.depends_on_pattern)
        return hyperparameters.settled(shared=fusion.depends_on_pattern)

    def begin_epoch(self, epoch: int) -> None:
        """Open or close the window, and forget the last epoch's coefficients."""
        window = self.hyperparameters.window_start, self.hyperparameters.window_end
        start, end = floor(window[0] * self.spec.epochs), ceil(window[1] * self.spec.epochs)
        self.active = start < epoch <= end
        self.kappa: dict[str, Tensor] = {}
        self._sum, self._steps = torch.zeros(()), 0

    def modulate(self, features: Features, kappa: Tensor) -> None:
        """Take the coefficients (M,) of the step whose loss is made of `features`, in their order."""
        self.kappa = dict(zip(features, kappa, strict=True))
        self._sum, self._steps = self._sum.to(kappa) + kappa, self._steps + 1
        for name, z in features.items():
            if not self.paced and z.requires_grad:
                z.register_hook(self.kappa[name].mul)  # type: ignore[no-untyped-call]  # torch declares no types here

    def before_step(self) -> None:
        """Add noise to every gradient but the head's."""
        if not (self.active and self.hyperparameters.noise):
            return
        scaled = {} if self.paced or self.fusion.depends_on_pattern else self.kappa
        for owner, parameters in self.encoder_parameters.items():
            add_noise(parameters, scaled.get(owner))

    def paced_parameters(self) -> Mapping[str, list[Parameter]]:
        """Return each encoder's parameters where learning rates are modulated."""
        return {name: self.encoder_parameters[name] for name in self.fusion.widths} if self.paced else {}

    def paces(self) -> Mapping[str, Tensor]:
        """Return the coefficients where learning rates are modulated."""
        return self.kappa if self.paced else {}

    def traces(self) -> Mapping[str, float]:
        """Return each modality's mean coefficient over the epoch's steps."""
        means = (self._sum / self._steps).tolist() if self._steps else []
        return {f"kappa/{name}": mean for name, mean in zip(self.kappa, means, strict=True)}


@torch.no_grad()
def add_noise(parameters: Iterable[Parameter], scale: Tensor | None = None) -> None:
    """Add N(0, std(g) + 1e-8) to every gradient g; std is unbiased, and of g before it was multiplied by `scale`."""
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is not None and gradient.numel() > 1:
            deviation = gradient.std()
            if scale is not None:  # a gradient that was scaled to nothing has lost its deviation
                deviation = (deviation / scale.to(deviation.dtype)).nan_to_num(0.0)
            # Weights that nothing reached, such as those of unseen words, stay where they are.
            noise = (deviation + 1e-8) * (deviation > 0)
            gradient.add_(torch.randn_like(gradient).mul_(noise))
