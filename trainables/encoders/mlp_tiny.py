"""A two-layer perceptron on the flattened input, for very small images and precomputed features."""

from math import prod

from torch import Tensor, nn

from trainables.api import Encoder, InputInfo

__all__ = ["MlpTiny"]

_HIDDEN = 64


class MlpTiny(Encoder):
    """Linear to 64, ReLU, linear to 48 features."""

    accepts = ("image", "vector", "audio")
    width = 48

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(prod(info.shape), _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, self.width)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, *shape) to (B, 48)."""
        z: Tensor = self.layers(inputs)
        return z
