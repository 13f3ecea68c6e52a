"""ViLT (Kim et al., 2021) for one image and one text modality: small and random, or published weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from trainables.api import Backbone, InputInfo
from trainables.backbones._patches import largest_patch, word_is_token
from trainables.encoders._transformers_model import check_fits, make_model

__all__ = ["Vilt"]

_TEXT, _IMAGE = 0, 1  # the published model's token types
_PUBLISHED_POSITIONS = 40


class Vilt(Backbone):
    """Words and image patches through the published model's embeddings, layers and final normalisation.

    Text longer than the position table (40 entries in the published checkpoints) is cut; `vilt_interpolate` stretches
    the table instead. Images have one size and keep all their patches, in order: no patch is drawn at random, and a
    black image is an image, where the published code takes pixels that sum to zero for padding. Token id 0 is padding.
    """

    accepts = ("image", "text")
    one_of_each = True
    takes_checkpoint = True
    configurations = MappingProxyType(
        {"tiny": {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}}
    )
    long_text: ClassVar[Literal["truncate", "interpolate"]] = "truncate"

    def __init__(self, inputs: Mapping[str, InputInfo], source: str | None = None) -> None:
        super().__init__(inputs, source)
        config = None
        if source is not None and source in self.configurations:
            config = _config(self.configurations[source], inputs)
        self.model = make_model("Vilt", source, config, add_pooling_layer=False)
        self.width = self.model.config.hidden_size
        self.kinds = {name: info.kind for name, info in inputs.items()}
        for info in inputs.values():
            _check(source, self.model.config, info)
            if info.kind == "text" and self.long_text == "interpolate":
                self._stretch(info.shape[0])

    def _stretch(self, length: int) -> None:
        """Resize the position table of text to `length` entries if it is shorter."""
        text = self.model.embeddings.text_embeddings
        table = text.position_embeddings.weight.detach()
        if length > len(table):
            longer = nn.functional.interpolate(table.T[None], size=length, mode="linear", align_corners=True)[0].T
            text.position_embeddings = nn.Embedding(length, self.width, _weight=longer.contiguous())

    def embed(self, modality: str, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map (B, words) ids or (B, channels, height, width) to tokens; both kinds lead with one of their own."""
        if self.kinds[modality] == "text":
            return self._embed_text(inputs)
        return self._embed_image(inputs), None

    def _embed_text(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        embeddings = self.model.embeddings
        ids = ids[:, : embeddings.text_embeddings.position_embeddings.num_embeddings]
        positions = torch.arange(ids.shape[1], device=ids.device).expand(1, -1)
        tokens: Tensor = embeddings.text_embeddings(
            input_ids=ids, token_type_ids=torch.zeros_like(ids), position_ids=positions
        )
        return tokens + embeddings.token_type_embeddings.weight[_TEXT], word_is_token(ids)

    def _embed_image(self, images: Tensor) -> Tensor:
        embeddings = self.model.embeddings
        patches = embeddings.patch_embeddings(images)
        size, patch = self.model.config.image_size, self.model.config.patch_size
        first, rest = embeddings.position_embeddings.split([1, (size // patch) ** 2], dim=1)
        grid = rest.transpose(1, 2).unflatten(2, (size // patch, -1))
        grid = nn.functional.interpolate(grid, size=patches.shape[2:], mode="bilinear", align_corners=True)
        leading = (embeddings.cls_token + first).expand(len(images), -1, -1)
        tokens = torch.cat([leading, (patches + grid).flatten(2).transpose(1, 2)], dim=1)
        dropped: Tensor = embeddings.dropout(tokens)
        token_type: Tensor = embeddings.token_type_embeddings.weight[_IMAGE]
        return dropped + token_type

    def transform(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to final states; the model reads only an additive mask of four dimensions."""
        if mask is not None:
            mask = mask.expand(-1, 1, -1, -1)
        hidden: Tensor = self.model.layernorm(self.model.encoder(tokens, attention_mask=mask).last_hidden_state)
        return hidden


def _config(settings: Mapping[str, Any], inputs: Mapping[str, InputInfo]) -> dict[str, Any]:
    config = {**settings, "max_position_embeddings": _PUBLISHED_POSITIONS}
    for info in inputs.values():
        if info.kind == "text":
            config["vocab_size"] = info.vocabulary_size
        else:
            channels, height, width = info.shape
            config |= {"num_channels": channels, "image_size": min(height, width)}
            config["patch_size"] = largest_patch(height, width)
    return config


def _check(source: str | None, config: Any, info: InputInfo) -> None:
    if info.kind == "text":
        check_fits(source, info, vocabulary=(config.vocab_size, info.vocabulary_size))
    else:
        check_fits(source, info, channels=(config.num_channels, info.shape[0]))
        smallest = min(info.shape[1:])
        check_fits(source, info, patch_size=(config.patch_size, min(config.patch_size, smallest)))
