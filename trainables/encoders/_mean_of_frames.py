"""Clips for encoders of images: every frame by itself, and the mean of what they give."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from trainables.api import Encoder, InputInfo

__all__ = ["MeanOfFrames"]


class MeanOfFrames(Encoder):
    """z is the mean of the frames' z.

    Args:
        info: of the clip.
        make: builds the encoder of one frame from what that looks like.
    """

    accepts = ("image",)

    def __init__(self, info: InputInfo, make: Callable[[InputInfo], Encoder]) -> None:
        super().__init__(info)
        self.of_frame = make(replace(info, shape=info.shape[1:], storage=None))
        self.width = self.of_frame.width

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, frames, channels, height, width) to (B, width)."""
        z: Tensor = self.of_frame(inputs.flatten(0, 1))
        return z.view(*inputs.shape[:2], self.width).mean(dim=1)
