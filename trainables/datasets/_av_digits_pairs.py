"""Which clip, which noise and which image make one sample of AVDigits."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from trainables.api import RawData
from trainables.datasets._av_digits_audio import fit_window, log_mel, mulaw_decode
from trainables.datasets._av_digits_images import read_digits, weaken
from trainables.datasets._av_digits_noise import draw_noise

__all__ = ["make_pairs"]

_SPLITS = ("train", "val", "test")
_IMAGES = (range(997), range(997, 1_197), range(1_197, 1_797))
_SPEAKERS = (range(36), range(36, 44), range(44, 60))


def make_pairs(params: Any, clips_file: Path, digits_sha256: str) -> RawData:
    """Build the data set for an instance of `AvDigitsParams`."""
    pixels, targets = read_digits(digits_sha256)
    clips = pq.read_table(clips_file, columns=["digit", "speaker", "pcm_mulaw"])
    digit, speaker = clips["digit"].to_numpy(), clips["speaker"].to_numpy()
    windows = np.stack([fit_window(mulaw_decode(np.frombuffer(clip.as_py(), np.uint8))) for clip in clips["pcm_mulaw"]])

    image: list[int] = []
    clip: list[int] = []
    pair: list[int] = []
    split: list[str] = []
    heard: list[npt.NDArray[np.float32]] = []
    for number, (images, speakers) in enumerate(zip(_IMAGES, _SPEAKERS, strict=True)):
        for round_number in range(params.pairs_per_image if number == 0 else 1):
            # A stream per split and round: more pairs per image leave the pairs that were there as they are.
            draws = np.random.default_rng([params.pairing_seed, number, round_number])
            of_split = np.flatnonzero(np.isin(speaker, speakers))
            chosen = _next_clips(draws, targets[images], of_split, digit[of_split])
            heard.append(log_mel(windows[chosen] + params.noise * draw_noise(draws, len(chosen))))
            image.extend(images)
            clip.extend(chosen)
            pair.extend([round_number] * len(images))
            split.extend([_SPLITS[number]] * len(images))

    spectra = np.concatenate(heard)
    train = spectra[np.array(split) == "train"]
    return RawData(
        sample_ids=[f"img{i:04d}-pair{p}" for i, p in zip(image, pair, strict=True)],
        splits=split,
        groups=[f"speaker{speaker[i]:02d}" for i in clip],
        targets=targets[image],
        inputs={
            "audio": (spectra - train.mean()) / train.std(),
            "image": weaken(pixels, len(_IMAGES[0]), params.components)[image],
        },
    )


def _next_clips(
    draws: np.random.Generator,
    targets: npt.NDArray[np.int64],
    clips: npt.NDArray[np.int64],
    digit: npt.NDArray[np.int8],
) -> npt.NDArray[np.int64]:
    """Give each image the next clip of its digit, going round and round through a permutation of the clips."""
    chosen = np.empty(len(targets), np.int64)
    for value in np.unique(targets):
        rows = np.flatnonzero(targets == value)
        chosen[rows] = np.resize(draws.permutation(clips[digit == value]), len(rows))
    return chosen
