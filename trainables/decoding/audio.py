"""Wav files to mono waveforms of one rate, and waveforms to the log-mel spectrograms that AST reads."""

import struct
from functools import lru_cache
from io import BytesIO
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.decoding.bad_bytes import UNREADABLE, head_issue
from trainables.decoding.decoded import Decoded

__all__ = ["ABSENT", "AST_MEAN", "AST_STD", "decode_wav", "log_mel", "waveform_issues"]

ABSENT = frozenset({"zero_audio", "silent_audio"})
"""What is wrong with a sound that counts as missing, though it can be read."""

AST_MEAN = -4.2677393
AST_STD = 4.5689974
"""Mean and standard deviation of the log-mel values of AudioSet (Gong et al. 2021, AST)."""

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_SILENT_PEAK = 1e-4
_SHORT_SECONDS = 0.1
_RATES_HZ = (1_000, 384_000)  # a rate from damaged bytes would ask for a resampling filter of gigabytes
_WINDOW_SECONDS, _SHIFT_SECONDS = 0.025, 0.010
_PRE_EMPHASIS = 0.97
_LOWEST_HZ = 20.0
_FLOOR = 2.0**-23  # single precision's epsilon, Kaldi's floor


def decode_wav(data: bytes, sample_rate: int) -> Decoded:
    """Decode a wav file (PCM of 8 to 64 bits or floats) to a mono waveform at `sample_rate`, in Hz.

    Channels are averaged, other rates resampled by a polyphase filter; what still is beyond [-1, 1] is clipped. A file
    shorter than its header says is read as far as it goes: programs that write to a pipe leave placeholders there.

    Issues, values None where the sound is to be treated as missing:
        `zero_bytes`, `html_instead`, `lfs_pointer`, `unreadable_audio`: no wav file that can be read. None.
        `zero_audio`: no frames. None.
        `silent_audio`: a peak below 1e-4. None.
        `short_audio`: below 0.1 s. Kept.

    Returns:
        float32 (samples,) in [-1, 1].
    """
    if head := head_issue(data):
        return Decoded(None, (head,))
    try:
        rate, mono = _read(data)
    except UNREADABLE:
        return Decoded(None, ("unreadable_audio",))
    issues = waveform_issues(mono, rate)
    if ABSENT & {*issues}:
        return Decoded(None, issues)
    return Decoded(_resampled(mono, rate, sample_rate).clip(-1, 1).astype(np.float32), issues)


def waveform_issues(mono: npt.NDArray[np.floating[Any]], rate: int) -> tuple[str, ...]:
    """Return what is wrong with a waveform of `rate` samples per second; with one of `ABSENT` it counts as missing."""
    if not mono.size:
        return ("zero_audio",)
    if np.abs(mono).max() < _SILENT_PEAK:
        return ("silent_audio",)
    return ("short_audio",) if len(mono) < _SHORT_SECONDS * rate else ()


def log_mel(waveform: Floats, *, sample_rate: int, bands: int, frames: int) -> Floats:
    """Return Kaldi's log-mel filter bank as AST uses it, padded with zeros or cut to `frames`.

    Hann windows of 25 ms every 10 ms, each freed of its mean and pre-emphasised by 0.97; the natural logarithm of the
    power under `bands` triangles, evenly spaced on Kaldi's (HTK's) mel scale from 20 Hz to half the rate; no dither, no
    energy. Equal to transformers' ASTFeatureExtractor without normalisation, transposed. A waveform shorter than one
    window is freed of its mean and padded with zeros to one.

    Args:
        waveform: float32 (samples,) in [-1, 1] at `sample_rate`, in Hz.
        sample_rate: at least 1 kHz; AST's is 16 kHz.
        bands: number of triangles; AST's is 128.
        frames: number of windows; AST's is 1,024, about 10 s.

    Returns:
        float32 (bands, frames).
    """
    window_samples = int(sample_rate * _WINDOW_SECONDS)
    shift_samples = int(sample_rate * _SHIFT_SECONDS)
    signal = waveform[: window_samples + (frames - 1) * shift_samples].astype(np.float64)
    if len(signal) < window_samples:
        signal = np.pad(signal - signal.mean() if len(signal) else signal, (0, window_samples - len(signal)))
    pieces = np.lib.stride_tricks.sliding_window_view(signal, window_samples)[::shift_samples]
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    before = np.concatenate([pieces[:, :1], pieces[:, :-1]], axis=1)
    windowed = (pieces - _PRE_EMPHASIS * before) * np.hanning(window_samples)
    spectrum = np.fft.rfft(windowed, _transform_samples(window_samples))
    power = spectrum.real**2 + spectrum.imag**2
    levels = np.log(np.maximum(_FLOOR, power @ _mel_triangles(sample_rate, bands)))
    result = np.zeros((bands, frames), dtype=np.float32)
    result[:, : len(levels)] = levels.T
    return result


def _read(data: bytes) -> tuple[int, Doubles]:
    """Return the rate in Hz and the mean of the channels, full scale 1."""
    from scipy.io import wavfile  # noqa: PLC0415 (a tenth of a second that planning is spared)

    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("not a wav file")
    rate, samples = wavfile.read(BytesIO(_plain_wav(data)))
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        raise ValueError(f"a rate of {rate} Hz")
    channels = _full_scale_one(samples)
    mono: Doubles = channels if channels.ndim == 1 else channels.mean(axis=1)
    if not np.isfinite(mono).all():
        raise ValueError("samples that are no numbers")
    return int(rate), mono


def _plain_wav(data: bytes) -> bytes:
    """Return the same sound with nothing but format and samples, with sizes that are true."""
    chunks: dict[bytes, bytes] = {}
    start = 12
    while start + 8 <= len(data) and b"data" not in chunks:
        name, size = struct.unpack_from("<4sI", data, start)
        chunks[name] = data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2
    form, samples = chunks[b"fmt "], chunks[b"data"]
    frame_bytes = struct.unpack_from("<H", form, 12)[0]
    samples = samples[: len(samples) // frame_bytes * frame_bytes]
    body = b"WAVE" + b"".join(
        struct.pack("<4sI", name, len(content)) + content for name, content in ((b"fmt ", form), (b"data", samples))
    )
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _full_scale_one(samples: npt.NDArray[Any]) -> Doubles:
    if samples.dtype.kind == "f":
        return samples.astype(np.float64)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    return (samples - half) / half if samples.dtype.kind == "u" else samples / half


def _resampled(mono: Doubles, rate: int, sample_rate: int) -> Doubles:
    if rate == sample_rate:
        return mono
    from scipy.signal import resample_poly  # noqa: PLC0415 (a second of import that files of the right rate are spared)

    divisor = gcd(rate, sample_rate)
    resampled: Doubles = resample_poly(mono, sample_rate // divisor, rate // divisor)
    return resampled


def _transform_samples(window_samples: int) -> int:
    """Return the next power of two."""
    return 1 << (window_samples - 1).bit_length()


@lru_cache(maxsize=8)
def _mel_triangles(sample_rate: int, bands: int) -> Doubles:
    """Return triangles of height 1, straight on the scale mel(f) = 1127 ln(1 + f / 700); (frequencies, bands)."""
    transform_samples = _transform_samples(int(sample_rate * _WINDOW_SECONDS))
    frequencies = np.arange(transform_samples // 2 + 1) * sample_rate / transform_samples
    mels = 1127.0 * np.log1p(frequencies / 700.0)[:, np.newaxis]
    lowest, highest = 1127.0 * np.log1p(np.array([_LOWEST_HZ, sample_rate // 2]) / 700.0)
    corners = np.linspace(lowest, highest, bands + 2)
    widths = np.diff(corners)
    rising, falling = (mels - corners[:-2]) / widths[:-1], (corners[2:] - mels) / widths[1:]
    return np.maximum(0.0, np.minimum(rising, falling))
