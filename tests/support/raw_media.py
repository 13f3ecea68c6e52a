"""Small images and sounds as bytes, for the raw data that tests make."""

import io

import numpy as np
from PIL import Image
from scipy.io import wavfile


def pixels(seed: int, width: int, height: int) -> Image.Image:
    """A smooth colourful image that no other seed gives."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, size=(4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def jpeg_bytes(seed: int, *, width: int = 40, height: int = 30, mode: str = "RGB") -> bytes:
    """A JPEG file."""
    return image_bytes(seed, "JPEG", width=width, height=height, mode=mode)


def image_bytes(seed: int, form: str, *, width: int = 40, height: int = 30, mode: str = "RGB") -> bytes:
    """An image file of a Pillow format."""
    file = io.BytesIO()
    pixels(seed, width, height).convert(mode).save(file, form)
    return file.getvalue()


def wav_bytes(seed: int, *, seconds: float = 0.5, rate_hz: int = 16_000, level: float = 0.5) -> bytes:
    """A 16-bit mono wav file with a tone of its own."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    frequency_hz = 200 + 37 * (seed % 97)
    wave = level * np.sin(2 * np.pi * frequency_hz * times) * (1 + 0.1 * np.sin(seed + 5 * times))
    file = io.BytesIO()
    wavfile.write(file, rate_hz, (32767 * np.clip(wave, -1, 1)).astype(np.int16))
    return file.getvalue()
