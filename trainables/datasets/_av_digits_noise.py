"""Ten families of procedural background noise for AVDigits: nothing is stored, everything follows from a seed."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from trainables.datasets._av_digits_audio import SAMPLE_RATE_HZ, WINDOW_SAMPLES

__all__ = ["NOISES", "draw_noise"]

Doubles = npt.NDArray[np.float64]
Draws = np.random.Generator

_TIME = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
_FREQUENCY = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE_HZ)


def draw_noise(draws: Draws, count: int) -> Doubles:
    """Return (count, 5120) windows with peak 1, each of a family drawn at random."""
    noise = np.empty((count, WINDOW_SAMPLES))
    families = draws.integers(len(NOISES), size=count)
    for number, family in enumerate(NOISES.values()):
        rows = np.flatnonzero(families == number)
        if len(rows):
            noise[rows] = family(draws, len(rows))
    return np.asarray(noise / np.abs(noise).max(axis=1, keepdims=True))


def _uniform(draws: Draws, low: float, high: float, *shape: int) -> Doubles:
    return draws.uniform(low, high, shape)


def _phases(draws: Draws, count: int) -> Doubles:
    return _uniform(draws, 0, 2 * np.pi, count, 1)


def _shaped(draws: Draws, count: int, gain: Doubles) -> Doubles:
    """White noise through a filter with this amplitude response."""
    return np.fft.irfft(np.fft.rfft(_white(draws, count)) * gain, n=WINDOW_SAMPLES)


def _swing(draws: Draws, count: int, low_hz: float, high_hz: float) -> Doubles:
    """A slow sine per row, of random rate and phase."""
    return np.asarray(np.sin(2 * np.pi * _uniform(draws, low_hz, high_hz, count, 1) * _TIME + _phases(draws, count)))


def _harmonics(draws: Draws, phase: Doubles, count: int) -> Doubles:
    """Sum of sines at multiples of a base phase, the n-th with amplitude U(0, 1) / sqrt(n)."""
    total = np.zeros_like(phase)
    for number in range(1, count + 1):
        strength = _uniform(draws, 0, number**-0.5, len(phase), 1)
        total += strength * np.sin(number * phase + _phases(draws, len(phase)))
    return total


def _bursts(draws: Draws, count: int, rate_hz: float) -> Doubles:
    """Poisson impulses of random height."""
    happens = draws.random((count, WINDOW_SAMPLES)) < rate_hz / SAMPLE_RATE_HZ
    happens[:, WINDOW_SAMPLES // 2] |= ~happens.any(axis=1)
    return np.where(happens, draws.standard_normal((count, WINDOW_SAMPLES)), 0.0)


def _white(draws: Draws, count: int) -> Doubles:
    return draws.standard_normal((count, WINDOW_SAMPLES))


def _pink(draws: Draws, count: int) -> Doubles:
    return _shaped(draws, count, 1 / np.sqrt(np.maximum(_FREQUENCY, 20)))


def _brown(draws: Draws, count: int) -> Doubles:
    return _shaped(draws, count, 1 / np.maximum(_FREQUENCY, 20))


def _hum(draws: Draws, count: int) -> Doubles:
    return _harmonics(draws, 2 * np.pi * _uniform(draws, 45, 130, count, 1) * _TIME, 16)


def _engine(draws: Draws, count: int) -> Doubles:
    """Harmonics of an unsteady 60-160 Hz tone under a 4-12 Hz tremolo."""
    wobble = _swing(draws, count, 1, 4)
    phase = 2 * np.pi * _uniform(draws, 60, 160, count, 1) * _TIME + wobble
    return np.asarray(_harmonics(draws, phase, 20) * (1 + 0.6 * _swing(draws, count, 4, 12)))


def _rain(draws: Draws, count: int) -> Doubles:
    """Drops that each ring in one of four decaying resonators."""
    total = np.zeros((count, WINDOW_SAMPLES))
    for resonance_hz in _uniform(draws, 800, 3_500, 4):
        radius = 0.97
        angle = 2 * np.pi * resonance_hz / SAMPLE_RATE_HZ
        total += lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], _bursts(draws, count, 80))
    return total


def _chirps(draws: Draws, count: int) -> Doubles:
    """Six Hann-windowed sweeps between 0.8 and 3 kHz."""
    total = np.zeros((count, WINDOW_SAMPLES))
    for _ in range(6):
        length = _uniform(draws, 0.05, 0.15, count, 1)
        since = _TIME - _uniform(draws, 0, 0.5, count, 1)
        begin, end = _uniform(draws, 800, 3_000, count, 1), _uniform(draws, 800, 3_000, count, 1)
        envelope = np.where((since >= 0) & (since < length), np.sin(np.pi * since / length) ** 2, 0.0)
        total += envelope * np.sin(2 * np.pi * (begin + (end - begin) * since / (2 * length)) * since)
    return total


def _siren(draws: Draws, count: int) -> Doubles:
    """A tone that passes by while its pitch swings: phase = 2 pi f t + depth / rate * sin(2 pi rate t)."""
    centre, rate = _uniform(draws, 600, 1_400, count, 1), _uniform(draws, 1, 5, count, 1)
    depth = centre * _uniform(draws, 0.2, 0.5, count, 1)
    swing = np.sin(2 * np.pi * rate * _TIME + _phases(draws, count))
    tone = np.sin(2 * np.pi * centre * _TIME + depth / rate * swing)
    return np.asarray(tone * (1.2 + _swing(draws, count, 0.5, 2)))


def _wind(draws: Draws, count: int) -> Doubles:
    band = ((_FREQUENCY > 80) & (_FREQUENCY < 900)).astype(np.float64)  # noqa: PLR2004 (Hz)
    return np.asarray(_shaped(draws, count, band) * (1.2 + _swing(draws, count, 0.5, 2)))


def _clatter(draws: Draws, count: int) -> Doubles:
    """White bursts that die away within some 30 ms."""
    decay = np.exp(-1 / (0.01 * SAMPLE_RATE_HZ))
    envelope = lfilter([1.0], [1.0, -decay], np.abs(_bursts(draws, count, 12)))
    return np.asarray(envelope * _white(draws, count))


NOISES: dict[str, Callable[[Draws, int], Doubles]] = {
    "white": _white,
    "pink": _pink,
    "brown": _brown,
    "hum": _hum,
    "engine": _engine,
    "rain": _rain,
    "chirps": _chirps,
    "siren": _siren,
    "wind": _wind,
    "clatter": _clatter,
}
