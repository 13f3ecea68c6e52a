"""TVLT (Tang et al., 2022) for one image or video and one audio modality: small and random, or published weights.

The parameters have the names of the published checkpoints, `ZinengTang/tvlt-base` for instance, converted to
safetensors.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from trainables.api import Backbone, InputInfo
from trainables.backbones._checkpoint_files import load_weights, read_checkpoint
from trainables.backbones._layers import Layers
from trainables.backbones._patches import frame_is_sound, largest_patch
from trainables.encoders._transformers_model import check_fits

__all__ = ["Tvlt"]

_SCALE = 0.02  # of random embeddings


def _table(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(1, *shape) * _SCALE)


class _Patches(nn.Module):
    """Non-overlapping patches of a plane, in reading order."""

    def __init__(self, channels: int, width: int, patch: tuple[int, int]) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, width, kernel_size=patch, stride=patch)

    def forward(self, planes: Tensor) -> Tensor:
        """Map (B, channels, height, width) to (B, L, width)."""
        patches: Tensor = self.projection(planes)
        return patches.flatten(2).transpose(1, 2)


class _PixelEmbeddings(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, patch, size = config["hidden_size"], tuple(config["image_patch_size"]), config["image_size"]
        self.patch_embeddings = _Patches(config["num_image_channels"], width, patch)
        self.type_embed_v = _table(1, width)
        self.temporal_embed = _table(config["num_frames"], width)
        self.pos_embed_v = _table((size // patch[0]) * (size // patch[1]), width)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, frames, channels, height, width) to (B, L, width), frame by frame."""
        embedded = self.patch_embeddings(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        times = self.temporal_embed[:, : images.shape[1], None]
        tokens: Tensor = embedded + self.pos_embed_v + times + self.type_embed_v
        return tokens.flatten(1, 2)


class _AudioEmbeddings(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, self.patch = config["hidden_size"], tuple(config["audio_patch_size"])
        self.patch_embeddings = _Patches(config["num_audio_channels"], width, self.patch)
        self.type_embed_a = _table(1, width)
        self.pos_embed_a = _table(config["spectrogram_length"] // self.patch[0], width)
        self.freq_embed = _table(config["frequency_length"] // self.patch[1], width)

    def forward(self, spectrograms: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, bands, frames) to (B, L, width), time by time; frames of zeros are padding."""
        padded = nn.functional.pad(spectrograms, (0, -spectrograms.shape[2] % self.patch[0]))
        embedded = self.patch_embeddings(padded.transpose(1, 2).unsqueeze(1))
        num_bands = self.freq_embed.shape[1]
        times = self.pos_embed_a[:, : embedded.shape[1] // num_bands].repeat_interleave(num_bands, dim=1)
        bands = self.freq_embed.repeat(1, embedded.shape[1] // num_bands, 1)
        valid = frame_is_sound(padded, self.patch[0]).repeat_interleave(num_bands, dim=1)
        return embedded + bands + times + self.type_embed_a, valid


class _Model(nn.Module):
    """The published model without its pre-training heads."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width, epsilon = config["hidden_size"], config["layer_norm_eps"]
        self.cls_embedding = _table(1, width)
        self.pixel_embeddings = _PixelEmbeddings(config)
        self.audio_embeddings = _AudioEmbeddings(config)
        self.encoder = Layers(
            width=width,
            depth=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            inner=config["intermediate_size"],
            epsilon=epsilon,
            drop_out=config["hidden_dropout_prob"],
        )
        self.layernorm = nn.Identity() if config["use_mean_pooling"] else nn.LayerNorm(width, eps=epsilon)


class Tvlt(Backbone):
    """Image patches and spectrogram patches; where both are there, a class token leads that belongs to neither."""

    accepts = ("audio", "image")
    one_of_each = True
    reads_clips = True
    takes_checkpoint = True
    configurations = MappingProxyType(
        {"tiny": {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}}
    )

    def __init__(self, inputs: Mapping[str, InputInfo], source: str | None = None) -> None:
        super().__init__(inputs, source)
        if source is None or source in self.configurations:
            config = _config(self.configurations[source or "tiny"], inputs)
            self.model = _Model(config)
        else:
            found, tensors = read_checkpoint(source, "tvlt")
            config = {**_DEFAULTS, **found}
            self.model = _Model(config)
            load_weights(self.model, tensors, source, "tvlt.")
        self.width = config["hidden_size"]
        self.inputs = dict(inputs)
        for info in inputs.values():
            _check(source, config, info)

    def embed(self, modality: str, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map (B, bands, frames), (B, channels, height, width) or (B, frames, channels, height, width) to tokens."""
        if self.inputs[modality].kind == "image":
            images = inputs if self.inputs[modality].is_clip else inputs.unsqueeze(1)
            return self.model.pixel_embeddings(images), None
        tokens: tuple[Tensor, Tensor] = self.model.audio_embeddings(inputs)
        return tokens

    def shared_tokens(self) -> Tensor:
        """Return the class token."""
        return self.model.cls_embedding[0]

    def transform(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, L, width) to final states."""
        hidden: Tensor = self.model.layernorm(self.model.encoder(tokens, mask))
        return hidden


_DEFAULTS: Mapping[str, Any] = {
    "image_size": 224,
    "spectrogram_length": 2048,
    "frequency_length": 128,
    "image_patch_size": (16, 16),
    "audio_patch_size": (16, 16),
    "num_image_channels": 3,
    "num_audio_channels": 1,
    "num_frames": 8,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_dropout_prob": 0.0,
    "layer_norm_eps": 1e-6,
    "use_mean_pooling": False,
}


def _config(settings: Mapping[str, Any], inputs: Mapping[str, InputInfo]) -> dict[str, Any]:
    config = {**_DEFAULTS, **settings, "num_frames": 1}
    for info in inputs.values():
        patch = largest_patch(*info.shape[-2:])
        if info.kind == "image":
            config |= {
                "num_frames": _frames(info),
                "num_image_channels": info.shape[-3],
                "image_size": info.shape[-2],
                "image_patch_size": (patch,) * 2,
            }
        else:
            bands, frames = info.shape
            patch = largest_patch(bands, bands)
            length = -(-frames // patch) * patch
            config |= {"frequency_length": bands, "spectrogram_length": length, "audio_patch_size": (patch,) * 2}
    return config


def _frames(info: InputInfo) -> int:
    return info.shape[0] if info.is_clip else 1


def _check(source: str | None, config: Mapping[str, Any], info: InputInfo) -> None:
    if info.kind == "image":
        size, most = (config["image_size"],) * 2, config["num_frames"]
        check_fits(
            source,
            info,
            image_size=(size, info.shape[-2:]),
            channels=(config["num_image_channels"], info.shape[-3]),
            frames=(most, max(_frames(info), most)),
        )
        return
    bands, frames = info.shape
    longest = config["spectrogram_length"]
    check_fits(source, info, mel_bands=(config["frequency_length"], bands), frames=(longest, max(frames, longest)))
