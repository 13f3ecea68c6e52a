"""Images: files to square 8-bit RGB pixels, which become normalised floats on the device."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from trainables.api_data import InputInfo, Storage
from trainables.decoding.decoded import Decoded
from trainables.decoding.images import decode_image
from trainables.decoding.videos import decode_frames
from trainables.params import number, one_of
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader, file_bytes
from trainables.preparing.tree import Tree

__all__ = ["NORMALISATIONS", "FramesReader", "ImageParams", "ImageReader"]

NORMALISATIONS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = MappingProxyType(
    {
        "half": ((0.5,) * 3, (0.5,) * 3),
        "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        "mmbt": ((0.4678, 0.4453, 0.4066), (0.1221, 0.1215, 0.1438)),
    }
)
"""name -> (mean, standard deviation) per channel: of ViT and ViLT, of torchvision's models, of CLIP, of MMBT."""


@dataclass(frozen=True, kw_only=True)
class ImageParams:
    """How images are stored.

    Attributes:
        image_size: sides of the square to which images are resized, whatever their own form.
        pixels: mean and deviation by which they are normalised; `half` is what ViT and ViLT expect.
    """

    image_size: int = number(224, 4, 1024)
    pixels: str = one_of("half", *(name for name in NORMALISATIONS if name != "half"))


def _storage(params: ImageParams, shape: tuple[int, ...]) -> Storage:
    means, deviations = NORMALISATIONS[params.pixels]
    return Storage(
        dtype="uint8",
        shape=shape,
        scale=tuple(1 / (255 * deviation) for deviation in deviations),
        shift=tuple(-mean / deviation for mean, deviation in zip(means, deviations, strict=True)),
    )


@dataclass(frozen=True)
class ImageReader(Reader):
    """Media are paths of image files."""

    params: ImageParams

    def info(self) -> InputInfo:
        """Three channels of a square."""
        shape = (3, self.params.image_size, self.params.image_size)
        return InputInfo(kind="image", shape=shape, storage=_storage(self.params, shape))

    def identity(self, media: Media, tree: Tree) -> Any:
        """The file's size."""
        return tree.sizes.get(media) if isinstance(media, str) else None

    def read(self, media: Sequence[Media], root: Path) -> Iterable[Decoded]:
        """Decode and resize."""
        return (_read_image(root, str(path), self.params.image_size) for path in media)

    def decode(self, data: bytes) -> Decoded:
        """Decode and resize the bytes of one file."""
        return decode_image(data, self.params.image_size)


@dataclass(frozen=True)
class FramesReader(Reader):
    """Media are sequences of image files, the frames of a clip in order; `frames` of them are kept, evenly spread.

    Frame i of n is kept for i = floor(k n / frames), k = 0 ... frames - 1, as MLA does (0, n/3, 2n/3). A video instead
    of a sequence, for which PyAV is needed, has one frame per second.
    """

    params: ImageParams
    frames: int = 3

    def info(self) -> InputInfo:
        """Frames of three channels of a square; a single frame is an image."""
        square = (3, self.params.image_size, self.params.image_size)
        shape = square if self.frames == 1 else (self.frames, *square)
        return InputInfo(kind="image", shape=shape, storage=_storage(self.params, shape))

    def identity(self, media: Media, tree: Tree) -> Any:
        """The files' sizes; None if there is no frame."""
        if isinstance(media, str):
            return tree.sizes.get(media)
        sizes = [tree.sizes.get(str(path)) for path in media or ()]
        return sizes if any(size is not None for size in sizes) else None

    def where(self, media: Media) -> str | None:
        """The video or the first frame's file."""
        return media if isinstance(media, str) else str(media[0]) if media else None

    def read(self, media: Sequence[Media], root: Path) -> Iterable[Decoded]:
        """Decode the chosen frames of each clip."""
        return (
            self._read_video(one, root) if isinstance(one, str) else self._read_clip(list(one or ()), root)
            for one in media
        )

    def _read_video(self, path: str, root: Path) -> Decoded:
        data = file_bytes(root, path)
        if data is None:
            return Decoded(None, ("missing_file",))
        clip = decode_frames(data, self.frames, self.params.image_size)
        return clip if clip.values is None or self.frames > 1 else Decoded(clip.values[0], clip.issues)

    def _read_clip(self, paths: list[Any], root: Path) -> Decoded:
        chosen = [str(paths[place * len(paths) // self.frames]) for place in range(self.frames)]
        read = [_read_image(root, path, self.params.image_size) for path in chosen]
        issues = list(dict.fromkeys(code for frame in read for code in frame.issues))
        if len(paths) < self.frames:
            issues.append("too_few_frames")
        good = [frame.values for frame in read if frame.values is not None]
        if not good:
            return Decoded(None, tuple(issues))
        last = good[-1]
        clip = np.stack([good[place] if place < len(good) else last for place in range(self.frames)])
        return Decoded(clip[0] if self.frames == 1 else clip, tuple(issues))


def _read_image(root: Path, path: str, size: int) -> Decoded:
    data = file_bytes(root, path)
    return Decoded(None, ("missing_file",)) if data is None else decode_image(data, size)
