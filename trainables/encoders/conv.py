"""Three small convolutions: seconds of training on one core, for spectrograms and small images."""

from itertools import pairwise
from types import MappingProxyType

from torch import Tensor, nn

from trainables.api import Encoder, InputInfo

__all__ = ["Conv"]

_CHANNELS = (12, 24, 48)
_POOLED = (2, 3)
_SMALLEST_SIDE = 2  # a map of one pixel could not be normalised in a batch of one
_POOLS = MappingProxyType({"maximum": nn.AdaptiveMaxPool2d, "average": nn.AdaptiveAvgPool2d})


class Conv(Encoder):
    """Three stride-2 3x3 convolutions with batch normalisation and ReLU, 2x3 pool, linear to 48 features.

    `tiny` takes the maximum of a cell. `digits` takes the average and has a ReLU behind the features, as most likely
    had the encoder with which AVDigits was designed.

    A spectrogram (bands, frames) is read as an image of one channel. Maps of two pixels a side are not halved again.
    """

    accepts = ("audio", "image")
    configurations = MappingProxyType(
        {"tiny": {"pool": "maximum", "rectified": False}, "digits": {"pool": "average", "rectified": True}}
    )
    width = 48

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        configuration = self.configurations[source or "tiny"]
        channels = (1 if info.kind == "audio" else info.shape[0], *_CHANNELS)
        layers: list[nn.Module] = []
        side = min(info.shape[-2:])
        for before, after in pairwise(channels):
            stride = 2 if side > _SMALLEST_SIDE else 1
            side = -(-side // stride)
            convolution = nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(after), nn.ReLU()]
        pooled = _CHANNELS[-1] * _POOLED[0] * _POOLED[1]
        layers += [_POOLS[configuration["pool"]](_POOLED), nn.Flatten(), nn.Linear(pooled, self.width)]
        if configuration["rectified"]:
            layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)
        self.is_audio = info.kind == "audio"

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, bands, frames) or (B, channels, height, width) to (B, 48)."""
        z: Tensor = self.layers(inputs.unsqueeze(1) if self.is_audio else inputs)
        return z
