"""Speak the 600 clips of AVDigits with espeak-ng 1.51: `python -m trainables.datasets._av_digits_make_clips FILE`."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.signal import resample_poly

from trainables.datasets._av_digits_audio import SAMPLE_RATE_HZ, mulaw_encode

__all__ = ["SPEAKERS", "WORDS", "Utterance", "make_clips", "speak", "utterances"]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEAKERS = 60

_ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"]
_VARIANTS = [
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "Annie",
    "Gene",
    "klatt",
    "klatt3",
    "croak",
    "whisper",
    "aunty",
    "grandpa",
    "grandma",
    "adam",
    "linda",
    "boris",
    "belinda",
    "david",
    "Diogo",
    "Hugo",
    "Lee",
]
_RESAMPLING = (160, 441)  # 22,050 Hz to 8,000 Hz
_TRIM_DECIBELS = -35.0
_PEAK = 0.95
_SEED = 14


@dataclass(frozen=True)
class Utterance:
    """One digit said by one speaker; `speed` in words per minute, `pitch` on espeak-ng's scale of 0 to 99."""

    digit: int
    speaker: int
    speed: int
    pitch: int

    @property
    def voice(self) -> str:
        """Accent and variant: the 60 pairs are all different."""
        return f"{_ACCENTS[self.speaker % len(_ACCENTS)]}+{_VARIANTS[7 * self.speaker % len(_VARIANTS)]}"

    @property
    def command(self) -> list[str]:
        """The command line that speaks it."""
        options = ["-v", self.voice, "-s", str(self.speed), "-p", str(self.pitch), "--stdout"]
        return ["espeak-ng", *options, WORDS[self.digit]]


def utterances() -> Iterator[Utterance]:
    """Every speaker says every digit once, at a speed and pitch of the clip's own."""
    draws = np.random.default_rng(_SEED)
    for speaker in range(SPEAKERS):
        for digit in range(len(WORDS)):
            speed = 120 + 5 * int(draws.integers(23))
            yield Utterance(digit, speaker, speed, 20 + int(draws.integers(66)))


def speak(utterance: Utterance) -> npt.NDArray[np.uint8]:
    """Return a clip as stored: 8 kHz, silence trimmed, peak 0.95, mu-law."""
    spoken = subprocess.run(utterance.command, check=True, capture_output=True).stdout  # noqa: S603 (constant words)
    # Written to a pipe, the header's sizes are placeholders: the samples are whatever follows the `data` tag.
    start = spoken.index(b"data") + 8
    samples = np.frombuffer(spoken[start : start + (len(spoken) - start) // 2 * 2], dtype="<i2") / 32_768
    signal = _trim(resample_poly(samples, *_RESAMPLING))
    return mulaw_encode(signal * (_PEAK / np.abs(signal).max()))


def _trim(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cut 10 ms frames more than 35 dB below the loudest from both ends, but leave one of them."""
    frame = SAMPLE_RATE_HZ // 100
    count = -(-len(signal) // frame)
    power = (np.pad(signal, (0, count * frame - len(signal))).reshape(count, frame) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (_TRIM_DECIBELS / 10))
    return signal[max(loud[0] - 1, 0) * frame : (loud[-1] + 2) * frame]


def make_clips() -> pa.Table:
    """Speak all clips: columns digit, speaker, voice, speed, pitch, pcm_mulaw."""
    spoken = [(utterance, speak(utterance).tobytes()) for utterance in utterances()]
    distinct = {hashlib.sha256(clip).digest() for _, clip in spoken}
    assert len(distinct) == len(spoken), "two clips are the same sound"
    return pa.table(
        {
            "digit": pa.array([utterance.digit for utterance, _ in spoken], pa.int8()),
            "speaker": pa.array([utterance.speaker for utterance, _ in spoken], pa.int8()),
            "voice": pa.array([utterance.voice for utterance, _ in spoken], pa.string()),
            "speed": pa.array([utterance.speed for utterance, _ in spoken], pa.int16()),
            "pitch": pa.array([utterance.pitch for utterance, _ in spoken], pa.int16()),
            "pcm_mulaw": pa.array([clip for _, clip in spoken], pa.binary()),
        }
    )


if __name__ == "__main__":
    pq.write_table(make_clips(), Path(sys.argv[1]), compression="zstd", compression_level=19)
