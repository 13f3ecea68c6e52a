"""Image files to square uint8 pixels, as fast as the JPEG format allows, and safe against files made to hurt."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from trainables.decoding.bad_bytes import UNREADABLE, head_issue
from trainables.decoding.decoded import Decoded

__all__ = ["LARGEST_PIXELS", "decode_image"]

LARGEST_PIXELS = 89_478_485
"""Pixels beyond which an image is a decompression bomb; Pillow's own limit, a quarter of a GiB at three bytes each."""

_LEAST_DECODED = 0.5
_BLOCKS_KEPT = 4
_pillow_memory: Any = getattr(Image, "core")  # noqa: B009 (documented by Pillow, but without types)
_pillow_memory.set_blocks_max(max(_pillow_memory.get_blocks_max(), _BLOCKS_KEPT))  # else each image's is mapped anew
_STRIP_ROWS = 64
_JPEG_END = b"\xff\xd9"
_READERS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\xff\xd8", JpegImageFile),
    (b"\x89PNG", PngImageFile),
    (b"GIF8", GifImageFile),
    (b"RIFF", WebPImageFile),
    (b"BM", BmpImageFile),
    (b"II", TiffImageFile),
    (b"MM", TiffImageFile),
)


def decode_image(data: bytes, size: int) -> Decoded:
    """Decode an image file (JPEG, PNG, GIF, WebP, BMP, TIFF, whatever its name says) to RGB of `size` x `size` pixels.

    The image is resized to the square in one step, bilinear with antialiasing, as the ViT processor of transformers
    does; the ratio of its sides is not kept. A large JPEG is first decoded at the smallest of 1/8, 1/4 and 1/2 whose
    sides are not below `size`, which halves the time and moves pixels by less than one grey level on average. The
    orientation in EXIF is not applied: neither do the papers' programs. Transparency lies on white, and of an animation
    the first frame is taken. 16-bit grey is divided by 256.

    Issues, values None where the image is to be treated as missing:
        `zero_bytes`, `html_instead`, `lfs_pointer`: no image. None.
        `truncated_image`: unreadable, or cut off. None where less than half of the rows were decoded; the others stay
            what the decoder leaves: grey in a JPEG, black elsewhere.
        `bad_mode`: neither plain RGB nor plain 8-bit grey, or an animation. Converted.
        `decompression_bomb`: more than `LARGEST_PIXELS`. A JPEG is decoded at 1/8, None where half of its rows are
            nothing; None for what needs the whole image in memory: other formats and progressive JPEGs.

    Returns:
        uint8 (3, size, size), contiguous and writable.
    """
    if head := head_issue(data):
        return Decoded(None, (head,))
    try:
        return _decode(data, size)
    except Image.DecompressionBombError:  # a frame larger than its animation
        return Decoded(None, ("decompression_bomb",))
    except UNREADABLE:
        return Decoded(None, ("truncated_image",))


def _decode(data: bytes, size: int) -> Decoded:
    image = _open(data)
    bomb = image.width * image.height > LARGEST_PIXELS
    if bomb and (not isinstance(image, JpegImageFile) or "progressive" in image.info):
        return Decoded(None, ("decompression_bomb",))
    smallest = (1, 1) if bomb else (size, size)
    image.draft(None, smallest)
    issues = [code for code, found in (("decompression_bomb", bomb), ("bad_mode", _is_bad_mode(image))) if found]
    try:
        image.load()
    except UNREADABLE:
        issues.append("truncated_image")
        image = _salvaged(image, data, smallest)
    if {"truncated_image", "decompression_bomb"} & {*issues} and _decoded_part(image) < _LEAST_DECODED:
        return Decoded(None, tuple(issues))
    pixels = np.frombuffer(bytearray().join(_bands(image, size)), dtype=np.uint8)
    return Decoded(pixels.reshape(3, size, size), tuple(issues))


def _open(data: bytes) -> ImageFile:
    """Read the header alone.

    `Image.open` would refuse a JPEG bomb before `draft` can make it small, and would start other programs for some
    formats; the reader's class does neither.
    """
    for head, reader in _READERS:
        if data.startswith(head):
            return reader(BytesIO(data))
    raise SyntaxError("not an image")


def _is_bad_mode(image: ImageFile) -> bool:
    return image.mode not in {"RGB", "L"} or "transparency" in image.info or getattr(image, "is_animated", False)


def _salvaged(image: ImageFile, data: bytes, smallest: tuple[int, int]) -> ImageFile:
    """Return what could be decoded, as `ImageFile.LOAD_TRUNCATED_IMAGES` does, without touching that global switch."""
    if isinstance(image, JpegImageFile):
        image = _open(data + _JPEG_END)
        image.draft(None, smallest)
    else:
        image.tile = []  # nothing left to decode: the pixels stay as the failure left them
    image.load()
    return image


def _decoded_part(image: ImageFile) -> float:
    """Return the share of rows that are not wholly the filling: libjpeg's grey, and zeros in other formats.

    Rows that really are of that one value count as missing; interlaced formats count the rows of the passes read.
    """
    lowest, highest = (127, 128) if isinstance(image, JpegImageFile) else (0, 0)  # CMYK is inverted: 127
    filled = 0
    for top in range(0, image.height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, image.height)
        rows = np.asarray(image.crop((0, top, image.width, bottom))).reshape(bottom - top, -1)
        filled += int(((rows.min(axis=1) >= lowest) & (rows.max(axis=1) <= highest)).sum())
    return 1 - filled / image.height


def _bands(image: ImageFile, size: int) -> Iterator[bytes]:
    """Yield red, green and blue, row by row; separate bands are the fastest way out of Pillow."""
    small = _eight_bits(image).resize((size, size), Image.Resampling.BILINEAR)
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    for band in "LLL" if small.mode == "L" else "RGB":
        yield small.tobytes("raw", band)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the image in one of the modes L, RGB and RGBA."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 2**16 - 1) // 2**8).astype(np.uint8))
    if "transparency" in image.info or image.mode in {"LA", "La", "PA", "RGBa"}:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "RGBA"} else image.convert("RGB")
