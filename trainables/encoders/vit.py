"""Vision transformer (Dosovitskiy et al., 2021): small and random, or published weights through transformers."""

from types import MappingProxyType

from torch import Tensor

from trainables.api import Encoder, InputInfo
from trainables.encoders._transformers_model import check_fits, make_model

__all__ = ["Vit"]

_PATCHES = (16, 8, 4, 2)
_FEWEST_PATCHES = 4  # per side


class Vit(Encoder):
    """z is the final [CLS] state: 768 features for the published base model."""

    accepts = ("image",)
    takes_checkpoint = True
    configurations = MappingProxyType(
        {"tiny": {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}}
    )

    def __init__(self, info: InputInfo, source: str | None = None) -> None:
        super().__init__(info, source)
        channels, height, width = info.shape
        config = None
        if source is not None and source in self.configurations:
            config = {
                **self.configurations[source],
                "image_size": (height, width),
                "num_channels": channels,
                "patch_size": _patch(height, width),
            }
        self.model = make_model("ViT", source, config, add_pooling_layer=False)
        self.width = self.model.config.hidden_size
        size = self.model.config.image_size
        size = (size, size) if isinstance(size, int) else tuple(size)
        check_fits(
            source, info, image_size=(size, (height, width)), channels=(self.model.config.num_channels, channels)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, channels, height, width) to (B, width)."""
        z: Tensor = self.model(pixel_values=inputs).last_hidden_state[:, 0]
        return z


def _patch(height: int, width: int) -> int:
    """Return the largest patch that tiles the image with at least four patches per side."""
    for patch in _PATCHES:
        if height % patch == 0 and width % patch == 0 and min(height, width) >= patch * _FEWEST_PATCHES:
            return patch
    return 1
