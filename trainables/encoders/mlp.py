"""A two-layer perceptron on the flattened input, for very small images and precomputed features."""

from math import prod
from types import MappingProxyType

from torch import Tensor, nn

from trainables.api import Encoder, InputInfo

__all__ = ["Mlp"]

_HIDDEN = 64


class Mlp(Encoder):
    """Linear to 64, ReLU, linear to 48 features; `digits`, as in `Conv`, has a ReLU behind them too."""

    accepts = ("image", "vector", "audio")
    configurations = MappingProxyType({"tiny": {"rectified": False}, "digits": {"rectified": True}})
    width = 48

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        layers = [nn.Flatten(), nn.Linear(prod(info.shape), _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, self.width)]
        if self.configurations[source or "tiny"]["rectified"]:
            layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, *shape) to (B, 48)."""
        z: Tensor = self.layers(inputs)
        return z
