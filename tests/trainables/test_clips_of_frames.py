"""Clips of several frames: the mean over frames in late fusion, tokens of every frame in early fusion."""

import pytest
import torch

from search_spaces.errors import InvalidValueError
from trainables.api import InputInfo
from trainables.encoder_names import backbone_identity, build_backbone, build_encoder, encoder_identity
from trainables.encoders._mean_of_frames import MeanOfFrames

CLIP = InputInfo(kind="image", shape=(3, 3, 16, 16))
FRAME = InputInfo(kind="image", shape=(3, 16, 16))
SOUND = InputInfo(kind="audio", shape=(16, 32))
TEXT = InputInfo(kind="text", shape=(5,), vocabulary_size=9)


@pytest.mark.parametrize("name", ["conv_tiny", "mlp_tiny", "vit_tiny"])
def test_an_encoder_of_images_reads_every_frame_and_gives_the_mean(name: str) -> None:
    encoder = build_encoder(name, CLIP).eval()
    assert isinstance(encoder, MeanOfFrames)
    clips = torch.randn(4, *CLIP.shape)
    with torch.no_grad():
        z = encoder(clips)
        frames = torch.stack([encoder.of_frame(clips[:, place]) for place in range(3)])
    assert z.shape == (4, encoder.width)
    torch.testing.assert_close(z, frames.mean(dim=0))


def test_reading_clips_is_part_of_the_identity() -> None:
    assert encoder_identity("vit_tiny", CLIP) != encoder_identity("vit_tiny", FRAME)
    assert MeanOfFrames.version in encoder_identity("vit_tiny", CLIP)


@pytest.mark.parametrize("name", ["tokens_tiny", "tvlt_tiny"])
def test_a_backbone_that_reads_clips_has_the_tokens_of_every_frame(name: str) -> None:
    backbone = build_backbone(name, {"audio": SOUND, "video": CLIP}).eval()
    clips = torch.randn(2, *CLIP.shape)
    with torch.no_grad():
        tokens, valid = backbone.embed("video", clips)
        other, _ = backbone.embed("video", clips.flip(1))
    per_frame = tokens.shape[1] // 3
    assert valid is None
    assert tokens.shape == (2, 3 * per_frame, backbone.width)
    # A frame's own tokens are the same wherever it stands, but for what its place adds.
    moved = tokens[:, :per_frame] - other[:, 2 * per_frame :]
    assert moved.abs().max() > 0
    torch.testing.assert_close(moved[0], moved[1], atol=1e-5, rtol=0)


def test_the_first_frame_of_a_clip_has_the_tokens_of_an_image_in_tvlt() -> None:
    torch.manual_seed(0)
    clips = build_backbone("tvlt_tiny", {"audio": SOUND, "video": CLIP})
    images = build_backbone("tvlt_tiny", {"audio": SOUND, "video": FRAME})
    weights = clips.state_dict()
    name = "model.pixel_embeddings.temporal_embed"
    images.load_state_dict({**weights, name: weights[name][:, :1]})
    clip = torch.randn(2, *CLIP.shape)
    of_image, _ = images.embed("video", clip[:, 0])
    of_clip, _ = clips.embed("video", clip)
    torch.testing.assert_close(of_clip[:, : of_image.shape[1]], of_image, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["vilt_tiny", "vilt_interpolate_tiny"])
def test_a_backbone_of_single_images_refuses_clips_by_name(name: str) -> None:
    with pytest.raises(InvalidValueError, match=r"one for clips of 3 frames \(video\)"):
        backbone_identity(name, {"text": TEXT, "video": CLIP})
