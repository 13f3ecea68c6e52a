import io
import pickle
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from trainables.decoding.bad_bytes import head_issue
from trainables.decoding.images import LARGEST_PIXELS, decode_image

RAMP = np.linspace(30, 220, 64 * 96).reshape(64, 96)
RGB = Image.fromarray(np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1).astype(np.uint8))


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def noisy_photo(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (height // 32 + 1, width // 32 + 1, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    return Image.fromarray(np.clip(smooth + rng.normal(0, 5, smooth.shape), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP", "TIFF", "JPEG"])
@pytest.mark.parametrize("image", [RGB, RGB.convert("L")], ids=["rgb", "grey"])
def test_clean_files_have_no_issue_and_the_pixels_of_a_plain_resize(image: Image.Image, form: str) -> None:
    data = encoded(image, form, **({"lossless": True} if form == "WEBP" else {}))
    decoded = decode_image(data, 48)
    assert decoded.issues == ()
    assert decoded.values is not None
    assert decoded.values.dtype == np.uint8
    assert decoded.values.flags.c_contiguous
    assert decoded.values.flags.writeable
    opened = Image.open(io.BytesIO(data)).convert("RGB").resize((48, 48), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(decoded.values, np.asarray(opened).transpose(2, 0, 1))


def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same() -> None:
    data = encoded(noisy_photo(500, 750), "JPEG", quality=85)
    decoded = decode_image(data, 224)
    opened = Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
    assert decoded.issues == ()
    assert decoded.values is not None
    assert np.abs(decoded.values - np.asarray(opened).transpose(2, 0, 1).astype(float)).mean() < 1


def test_orientation_in_exif_is_not_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, plain = (decode_image(encoded(RGB, "JPEG", **options), 32) for options in ({"exif": exif}, {}))
    np.testing.assert_array_equal(turned.values, plain.values)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "zero_bytes"),
        (b" \r\n<!DOCTYPE html><title>404", "html_instead"),
        (b"\xef\xbb\xbf<HTML><body>gone", "html_instead"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "lfs_pointer"),
        (b"no image at all", "truncated_image"),
        (encoded(RGB, "JPEG")[:60], "truncated_image"),
        (encoded(RGB, "WEBP")[:80], "truncated_image"),
    ],
)
def test_what_is_no_image_is_missing(data: bytes, code: str) -> None:
    decoded = decode_image(data, 32)
    assert decoded.values is None
    assert decoded.issues == (code,)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "GIF"])
@pytest.mark.parametrize(("kept", "usable"), [(0.85, True), (0.25, False)])
def test_a_file_cut_off_is_kept_if_half_of_its_rows_are_there(form: str, kept: float, usable: bool) -> None:
    data = encoded(noisy_photo(400, 600), form)
    decoded = decode_image(data[: int(len(data) * kept)], 64)
    assert "truncated_image" in decoded.issues
    assert (decoded.values is not None) == usable
    if decoded.values is not None:
        whole = decode_image(data, 64).values
        assert whole is not None
        part = slice(-30, None) if form == "BMP" else slice(30)  # stored from below
        np.testing.assert_array_equal(decoded.values[:, part], whole[:, part])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_progressive_jpeg_cut_off_is_coarse_but_whole() -> None:
    data = encoded(noisy_photo(400, 600), "JPEG", progressive=True)
    decoded, whole = (decode_image(part, 64) for part in (data[: len(data) // 2], data))
    assert decoded.issues == ("truncated_image",)
    assert decoded.values is not None
    assert whole.values is not None
    assert np.abs(decoded.values.astype(float) - whole.values).mean() < 8


def grey_16_bits() -> Image.Image:
    return Image.fromarray((RAMP * 256).astype(np.uint16))


BAD_MODES = {
    "cmyk": encoded(RGB.convert("CMYK"), "JPEG", quality=100, subsampling=0),
    "palette": encoded(RGB.convert("P", palette=Image.Palette.ADAPTIVE)),
    "grey with alpha": encoded(RGB.convert("LA")),
    "16 bits": encoded(grey_16_bits()),
    "alpha": encoded(RGB.convert("RGBA")),
    "one bit": encoded(RGB.convert("1")),
    "transparent colour": encoded(RGB, transparency=(1, 2, 3)),
    "animated gif": encoded(RGB, "GIF", save_all=True, append_images=[Image.new("RGB", RGB.size, "red")]),
    "animated png": encoded(RGB, "PNG", save_all=True, append_images=[Image.new("RGB", RGB.size, "red")]),
}


@pytest.mark.parametrize("name", BAD_MODES)
def test_odd_modes_become_rgb(name: str) -> None:
    decoded = decode_image(BAD_MODES[name], 32)
    assert decoded.issues == ("bad_mode",)
    assert decoded.values is not None
    grey = name in {"grey with alpha", "16 bits", "one bit"}
    expected = decode_image(encoded(Image.fromarray(RAMP.astype(np.uint8)) if name == "16 bits" else RGB), 32).values
    assert expected is not None
    if grey:
        np.testing.assert_array_equal(decoded.values[0], decoded.values[2])
    if name == "16 bits":
        np.testing.assert_array_equal(decoded.values, expected)
    difference = np.abs(decoded.values.mean(axis=(1, 2)) - expected.mean(axis=(1, 2)))
    assert difference.max() < (25 if grey else 8)


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    clear.paste((10, 20, 30, 255), (0, 0, 20, 40))
    values = decode_image(encoded(clear), 40).values
    assert values is not None
    assert values[:, :, 0].T.tolist() == [[10, 20, 30]] * 40
    assert (values[:, :, -1] == 255).all()


def png_of_size(width: int, height: int) -> bytes:
    """A few bytes that say they are a black image of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [9_460, 14_000, 60_000])
def test_a_bomb_is_refused_before_anything_is_allocated(side: int) -> None:
    decoded = decode_image(png_of_size(side, side), 32)
    assert decoded.values is None
    assert decoded.issues == ("decompression_bomb",)


def test_a_frame_that_is_a_bomb_inside_a_small_animation_is_refused() -> None:
    data = encoded(RGB, "GIF")
    frame = data.index(b"," + struct.pack("<HHHH", 0, 0, *RGB.size))
    decoded = decode_image(data[: frame + 5] + struct.pack("<HH", 60_000, 60_000) + data[frame + 9 :], 32)
    assert decoded.values is None
    assert decoded.issues == ("decompression_bomb",)


def grey_jpeg_of_size(width: int, height: int, **options: Any) -> bytes:
    """A small JPEG whose header is changed to say this size."""
    data = encoded(Image.new("L", (64, 64), 200), "JPEG", **options)
    frame = data.index(b"\xff\xc2" if options else b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def test_a_jpeg_bomb_is_decoded_at_an_eighth() -> None:
    side = 9_600
    decoded = decode_image(encoded(Image.new("L", (side, side), 200), "JPEG"), 32)
    assert decoded.issues == ("decompression_bomb",)
    assert decoded.values is not None
    assert (decoded.values == 200).all()
    assert side**2 > LARGEST_PIXELS


@pytest.mark.parametrize("side", [12_000, 65_000])
def test_a_progressive_jpeg_bomb_is_missing(side: int) -> None:
    decoded = decode_image(grey_jpeg_of_size(side, side, progressive=True), 32)
    assert decoded.values is None
    assert decoded.issues == ("decompression_bomb",)


def test_a_jpeg_bomb_of_nothing_is_missing() -> None:
    decoded = decode_image(grey_jpeg_of_size(12_000, 12_000), 32)
    assert decoded.values is None
    assert decoded.issues == ("decompression_bomb",)


HEADS = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"BM", b"II*\0", b"MM\0*"]


@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_random_bytes_are_missing(head: bytes, tail: bytes) -> None:
    decoded = decode_image(head + tail, 8)
    assert decoded.values is None
    assert len(decoded.issues) >= 1


SMALL = noisy_photo(40, 40)
FILES = [encoded(SMALL, form) for form in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")] + list(BAD_MODES.values())


@given(st.sampled_from(FILES), st.data())
def test_damaged_files_give_pixels_or_a_code(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    decoded = decode_image(bytes(damaged), 8)
    assert decoded.issues if decoded.values is None else decoded.values.shape == (3, 8, 8)


def test_every_head_is_told_apart() -> None:
    assert head_issue(encoded(RGB, "JPEG")) is None
    assert head_issue(b"a <html> later") is None
    assert head_issue(b"<htm") is None


def test_a_result_travels_between_processes() -> None:
    decoded = decode_image(FILES[0], 8)
    again = pickle.loads(pickle.dumps(decoded))
    np.testing.assert_array_equal(again.values, decoded.values)
    assert again.issues == decoded.issues
