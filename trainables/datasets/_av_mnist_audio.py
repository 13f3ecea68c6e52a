"""The noisy digits of AV-MNIST: a recording of speech and one of something else, mixed when they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.api_data import InputInfo, Storage
from trainables.decoding.audio import decode_wav
from trainables.decoding.decoded import Decoded
from trainables.preparing.audio_reader import SAMPLE_RATE_HZ, AudioParams, mel_info, mel_of
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader, file_bytes
from trainables.preparing.tree import Tree

__all__ = ["MIXING_RATE_HZ", "MixReader", "SpectrogramReader", "mix"]

Floats = npt.NDArray[np.float32]

MIXING_RATE_HZ = 8_000
"""The rate of speech, the lower of the two."""
_LONGEST_FRAMES = 230  # of 10 ms; the longest recording has 2.28 s


def mix(speech: Floats, noise: Floats, strength: float, *, to_peak: bool = False) -> Floats:
    """Return speech + strength * noise, from the beginning of both and as long as the shorter one.

    Args:
        speech: (samples,) in [-1, 1].
        noise: likewise, of the same rate.
        strength: factor of the noise's amplitude.
        to_peak: make the speech's loudest sample 1 first.
    """
    length = min(len(speech), len(noise))
    clean = speech[:length] / np.abs(speech).max() if to_peak else speech[:length]
    return (clean + strength * noise[:length]).astype(np.float32)


@dataclass(frozen=True)
class MixReader(Reader):
    """Media are pairs of a wav file of speech and one of noise."""

    params: AudioParams
    strength: float
    to_peak: bool

    def info(self) -> InputInfo:
        """A log-mel spectrogram."""
        return mel_info(self.params, _LONGEST_FRAMES)

    def identity(self, media: Media, tree: Tree) -> Any:
        """Names and sizes, since all recordings of noise are equally long; None if one is not there."""
        about = [(path.rpartition("/")[2], tree.sizes.get(path)) for path in media or ()]
        return None if not about or None in {size for _, size in about} else about

    def where(self, media: Media) -> str | None:
        """The speech: noise has been tried before."""
        return str(media[0]) if media else None

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Mix at 8 kHz, resample to 16 kHz and transform."""
        info = self.info()
        return [self._read_pair(str(pair[0]), str(pair[1]), root, info) for pair in media if pair]

    def _read_pair(self, speech_path: str, noise_path: str, root: Path, info: InputInfo) -> Decoded:
        from scipy.signal import resample_poly  # noqa: PLC0415 (a second of import)

        data, noise = file_bytes(root, speech_path), _noise(root / noise_path)
        if data is None or noise is None:
            return Decoded(None, ("missing_file",))
        speech = decode_wav(data, MIXING_RATE_HZ)
        if speech.values is None:
            return speech
        mixed = mix(speech.values, noise, self.strength, to_peak=self.to_peak)
        return Decoded(mel_of(resample_poly(mixed, SAMPLE_RATE_HZ // MIXING_RATE_HZ, 1), info), speech.issues)


@lru_cache(maxsize=64)
def _noise(path: Path) -> Floats | None:
    """Return a recording; a process reads each of the fifty once."""
    try:
        return decode_wav(path.read_bytes(), MIXING_RATE_HZ).values
    except OSError:
        return None


@dataclass(frozen=True)
class SpectrogramReader(Reader):
    """Media are (npy file of spectrograms from 0 to 255, row, what identifies it)."""

    side: int

    def info(self) -> InputInfo:
        """The spectrogram between 0 and 1."""
        shape = (self.side, self.side)
        return InputInfo(kind="audio", shape=shape, storage=Storage(dtype="uint8", shape=shape, scale=(1 / 255,)))

    def identity(self, media: Media, tree: Tree) -> Any:
        """What identifies it."""
        del tree
        return media[2] if media else None

    def where(self, media: Media) -> str | None:
        """The file."""
        return str(media[0]) if media else None

    def read(self, media: Sequence[Media], root: Path) -> list[Decoded]:
        """Take the rows."""
        return [self._read_row(root / str(entry[0]), int(entry[1])) for entry in media if entry]

    def _read_row(self, path: Path, row: int) -> Decoded:
        try:
            values = np.load(path, mmap_mode="r", allow_pickle=False)[row].reshape(self.side, self.side)
        except (OSError, ValueError, IndexError):
            return Decoded(None, ("unreadable_array",))
        return Decoded(np.rint(values.clip(0, 255)).astype(np.uint8))
