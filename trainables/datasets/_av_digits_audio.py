"""Sound of the AVDigits data set: companding of stored clips, mixing with noise, log-mel spectrograms."""

import numpy as np
import numpy.typing as npt

__all__ = [
    "BANDS",
    "FRAMES",
    "SAMPLE_RATE_HZ",
    "WINDOW_SAMPLES",
    "fit_window",
    "log_mel",
    "mulaw_decode",
    "mulaw_encode",
]

Doubles = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 8_000
WINDOW_SAMPLES = 5_120  # 0.64 s
BANDS = 32
FRAMES = 39

_MU = 255.0
_STEPS = 127  # codes 1 ... 255, silence is exactly 128
_FRAME_SAMPLES = 256
_HOP_SAMPLES = 128
_LOWEST_HZ = 60.0
_FLOOR = 1e-6


def mulaw_encode(signal: Doubles) -> npt.NDArray[np.uint8]:
    """Compress a signal in [-1, 1] to 8 bits: F(x) = sgn(x) ln(1 + 255|x|) / ln 256 (ITU-T G.711, unsegmented)."""
    compressed = np.sign(signal) * np.log1p(_MU * np.abs(signal)) / np.log1p(_MU)
    return np.asarray(np.rint(compressed * _STEPS) + _STEPS + 1, dtype=np.uint8)


def mulaw_decode(codes: npt.NDArray[np.uint8]) -> Doubles:
    """Invert `mulaw_encode` up to half a step: |error| <= about ln(256) / (2 * 127) * (1/255 + |x|)."""
    compressed = (codes.astype(np.float64) - _STEPS - 1) / _STEPS
    return np.asarray(np.sign(compressed) * np.expm1(np.abs(compressed) * np.log1p(_MU)) / _MU)


def fit_window(signal: Doubles) -> Doubles:
    """Return the first 0.64 s of a signal, padded at its end with silence."""
    window = np.zeros(WINDOW_SAMPLES)
    kept = signal[:WINDOW_SAMPLES]
    window[: len(kept)] = kept
    return window


def log_mel(signals: Doubles) -> npt.NDArray[np.float32]:
    """Return log(P + 1e-6) in 32 mel bands from 60 to 4000 Hz: (N, 5120) to (N, 32, 39)."""
    frames = np.lib.stride_tricks.sliding_window_view(signals, _FRAME_SAMPLES, axis=1)[:, ::_HOP_SAMPLES]
    spectra = np.fft.rfft(frames * np.hanning(_FRAME_SAMPLES + 1)[:-1], axis=-1)
    power = (spectra.real**2 + spectra.imag**2) @ _mel_filters()
    return np.asarray(np.log(power + _FLOOR).transpose(0, 2, 1), dtype=np.float32)


def _mel_filters() -> Doubles:
    """Triangles that are equally spaced in mel = 2595 log10(1 + f / 700), shape (129, 32)."""
    lowest, highest = (2595 * np.log10(1 + limit_hz / 700) for limit_hz in (_LOWEST_HZ, SAMPLE_RATE_HZ / 2))
    mels = np.linspace(lowest, highest, BANDS + 2)
    edges_hz = 700 * (10 ** (mels / 2595) - 1)
    bins_hz = np.fft.rfftfreq(_FRAME_SAMPLES, 1 / SAMPLE_RATE_HZ)[:, None]
    rising = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None))
