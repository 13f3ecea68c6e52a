"""Sound: wav files to log-mel spectrograms in half precision, normalised and padded on the device."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainables.api_data import InputInfo, Storage
from trainables.decoding.audio import AST_MEAN, AST_STD, decode_wav, log_mel
from trainables.decoding.decoded import Decoded
from trainables.decoding.videos import can_decode_videos, decode_sound
from trainables.params import number
from trainables.preparing.manifest import Media
from trainables.preparing.reader import Reader, file_bytes
from trainables.preparing.tree import Tree

__all__ = ["SAMPLE_RATE_HZ", "AudioParams", "AudioReader", "mel_info", "mel_of"]

SAMPLE_RATE_HZ = 16_000
_WAV = b"RIFF"


@dataclass(frozen=True, kw_only=True)
class AudioParams:
    """How sound is stored: AST's filter bank, (x + 4.2677393) / (2 * 4.5689974).

    Attributes:
        bands: mel bands.
        frames: of 10 ms; longer clips are cut, shorter ones padded.
    """

    bands: int = number(128, 8, 512)
    frames: int = number(1024, 8, 4096)


def mel_info(params: AudioParams, stored_frames: int | None = None) -> InputInfo:
    """Describe a spectrogram of which at most `stored_frames` are kept in the cache; the rest is padding."""
    stored = (params.bands, min(params.frames, stored_frames or params.frames))
    scale = 1 / (2 * AST_STD)
    storage = Storage(
        dtype="float16",
        shape=stored,
        scale=(scale,),
        shift=(-AST_MEAN * scale,),
        padding=-AST_MEAN * scale,  # AST pads with zeros before it normalises
    )
    return InputInfo(kind="audio", shape=(params.bands, params.frames), storage=storage)


def mel_of(waveform: Any, info: InputInfo) -> Any:
    """Return the spectrogram of a waveform at 16 kHz as `info` stores it."""
    bands, frames = info.stored.shape
    mel = log_mel(waveform, sample_rate=SAMPLE_RATE_HZ, bands=bands, frames=frames)
    return mel.astype(np.float16)


@dataclass(frozen=True)
class AudioReader(Reader):
    """Media are paths of wav files, or with PyAV of other sounds and of videos."""

    params: AudioParams
    seconds: float | None = None
    """Length of the longest clip, if it is shorter than `frames`, so that the cache holds less padding."""

    def info(self) -> InputInfo:
        """A log-mel spectrogram."""
        return mel_info(self.params, None if self.seconds is None else round(100 * self.seconds))

    def identity(self, media: Media, tree: Tree) -> Any:
        """The file's size."""
        return tree.sizes.get(media) if isinstance(media, str) else None

    def read(self, media: Sequence[Media], root: Path) -> Iterable[Decoded]:
        """Decode, resample to 16 kHz and transform."""
        files = (file_bytes(root, str(path)) for path in media)
        return (Decoded(None, ("missing_file",)) if data is None else self.decode(data) for data in files)

    def decode(self, data: bytes) -> Decoded:
        """Decode, resample and transform the bytes of one file."""
        is_wav = data[:4] == _WAV or not can_decode_videos()
        clip = (decode_wav if is_wav else decode_sound)(data, SAMPLE_RATE_HZ)
        return clip if clip.values is None else Decoded(mel_of(clip.values, self.info()), clip.issues)
