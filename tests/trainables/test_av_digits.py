"""The embedded data set: its sizes, its splits without leaks, and that equal parameters give equal arrays."""

import shutil
import subprocess
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from search_spaces.errors import InvalidValueError, MmptError
from search_spaces.spec import TrialSpec
from trainables.api import Dataset, RawData
from trainables.dataset_identity import open_dataset
from trainables.datasets import _av_digits_make_clips as generator
from trainables.datasets._av_digits_audio import WINDOW_SAMPLES, fit_window, log_mel, mulaw_decode, mulaw_encode
from trainables.datasets._av_digits_images import read_digits, weaken
from trainables.datasets._av_digits_noise import NOISES, draw_noise
from trainables.datasets.av_digits import _CLIPS, _DIGITS_SHA256
from trainables.raw_data_checks import check_raw_data


def _open(**params: Any) -> tuple[Dataset, str]:
    return open_dataset(TrialSpec(dataset="av_digits", method="naive", dataset_params=params))


@pytest.fixture(scope="module")
def raw() -> RawData:
    return _open()[0].load()


@pytest.fixture(scope="module")
def clips() -> pa.Table:
    return pq.read_table(_CLIPS)


def test_sizes_shapes_and_rules(raw: RawData) -> None:
    assert Counter(raw.splits) == {"train": 997, "val": 200, "test": 600}
    assert raw.inputs["audio"].shape == (1797, 32, 39)
    assert raw.inputs["image"].shape == (1797, 1, 8, 8)
    check_raw_data(raw, _open()[0].info())


def test_no_speaker_and_no_image_in_two_splits(raw: RawData) -> None:
    for what in (raw.groups, [name.partition("-")[0] for name in raw.sample_ids]):
        seen = {split: {item for item, of in zip(what, raw.splits, strict=True) if of == split} for split in raw.splits}
        assert sum(map(len, seen.values())) == len(set().union(*seen.values()))
    speakers = Counter(split for split, _ in set(zip(raw.splits, raw.groups, strict=True)))
    assert speakers == {"train": 36, "val": 8, "test": 16}


def test_inputs_are_standardised_by_the_train_split(raw: RawData) -> None:
    train = np.array(raw.splits) == "train"
    for name in ("audio", "image"):
        assert raw.inputs[name][train].mean() == pytest.approx(0, abs=1e-4)
        assert raw.inputs[name][train].std() == pytest.approx(1, abs=1e-4)


def test_equal_parameters_equal_arrays_and_fingerprint(raw: RawData) -> None:
    dataset, fingerprint = _open(noise=0.5, components=2)
    again = dataset.load()
    assert fingerprint == _open()[1]
    assert again.sample_ids == raw.sample_ids
    assert again.groups == raw.groups
    for name in ("audio", "image"):
        np.testing.assert_array_equal(again.inputs[name], raw.inputs[name])


@pytest.mark.parametrize(
    ("params", "changed"),
    [
        ({"noise": 0.25}, {"audio"}),
        ({"components": 3}, {"image"}),
        ({"pairing_seed": 1}, {"audio"}),
    ],
)
def test_each_parameter_changes_its_modality_and_the_fingerprint(raw: RawData, params: Any, changed: Any) -> None:
    dataset, fingerprint = _open(**params)
    other = dataset.load()
    assert fingerprint != _open()[1]
    assert {name for name in raw.inputs if not np.array_equal(raw.inputs[name], other.inputs[name])} == changed


def test_more_pairs_only_add_train_samples(raw: RawData) -> None:
    dataset, fingerprint = _open(pairs_per_image=2)
    more = dataset.load()
    assert fingerprint != _open()[1]
    assert Counter(more.splits) == {"train": 2 * 997, "val": 200, "test": 600}
    assert [name for name in more.sample_ids if name.endswith("pair0")] == raw.sample_ids
    groups = dict(zip(more.sample_ids, more.groups, strict=True))
    assert [groups[name] for name in raw.sample_ids] == raw.groups


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"av_digits\.components: 0 is not allowed"):
        _open(components=0)


def test_planning_does_not_decode() -> None:
    assert set(_open()[0].content()) == {"clips", "digits"}


# -- images ----------------------------------------------------------------------------------------------------------


def test_components_are_fitted_on_train_images_only() -> None:
    pixels, _ = read_digits(_DIGITS_SHA256)
    changed = pixels.copy()
    changed[997:] = 16 - changed[997:]
    before, after = weaken(pixels, 997, 2), weaken(changed, 997, 2)
    np.testing.assert_array_equal(before[:997], after[:997])
    assert not np.array_equal(before[997:], after[997:])


@pytest.mark.parametrize("components", [1, 2, 3])
def test_images_keep_that_many_components(components: int) -> None:
    pixels, _ = read_digits(_DIGITS_SHA256)
    weak = weaken(pixels, 997, components).reshape(1797, 64)
    assert np.linalg.matrix_rank(weak, tol=1e-2) == components


def test_two_components_keep_28_percent_of_the_energy() -> None:
    pixels, _ = read_digits(_DIGITS_SHA256)
    centred = pixels[:997] / 16 - (pixels[:997] / 16).mean(axis=0)
    energy = np.linalg.svd(centred, compute_uv=False) ** 2
    assert np.round(np.cumsum(energy)[:3] / energy.sum(), 3).tolist() == [0.142, 0.277, 0.401]


def test_other_digits_are_refused() -> None:
    with pytest.raises(MmptError, match=f"SHA-256 {_DIGITS_SHA256}, expected 0000"):
        read_digits("0000")


# -- sound -----------------------------------------------------------------------------------------------------------


def test_companding_loses_at_most_half_a_step() -> None:
    signal = np.linspace(-1, 1, 100_001)
    found = mulaw_decode(mulaw_encode(signal))
    bound = np.log(256) / 254 * (1 / 255 + np.abs(signal)) * 1.02
    assert (np.abs(found - signal) <= bound).all()
    assert mulaw_decode(mulaw_encode(np.zeros(1)))[0] == 0
    codes = np.arange(1, 256, dtype=np.uint8)
    np.testing.assert_array_equal(mulaw_encode(mulaw_decode(codes)), codes)


def test_a_tone_is_loudest_in_its_band() -> None:
    time = np.arange(WINDOW_SAMPLES) / 8_000
    loudest = [int(log_mel(np.sin(2 * np.pi * hz * time)[None])[0].mean(axis=1).argmax()) for hz in (200, 1000, 3500)]
    assert loudest == sorted(loudest)
    assert loudest[0] <= 3
    assert loudest[2] >= 28
    assert log_mel(np.zeros((2, WINDOW_SAMPLES))).shape == (2, 32, 39)


def test_windows_cut_and_pad_at_the_end() -> None:
    assert fit_window(np.ones(3))[:4].tolist() == [1, 1, 1, 0]
    assert fit_window(np.ones(9_000)).shape == (WINDOW_SAMPLES,)


@pytest.mark.parametrize("name", NOISES)
def test_every_noise_family_sounds(name: str) -> None:
    noise = NOISES[name](np.random.default_rng(0), 20)
    assert noise.shape == (20, WINDOW_SAMPLES)
    assert np.isfinite(noise).all()
    assert (np.abs(noise).max(axis=1) > 0).all()


def test_noise_follows_from_the_seed_and_peaks_at_one() -> None:
    one, two = (draw_noise(np.random.default_rng(5), 60) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(np.abs(one).max(axis=1), 1)


def test_stored_clips_are_those_of_the_generator(clips: pa.Table) -> None:
    planned = list(generator.utterances())
    assert clips.num_rows == len(planned) == 600
    for name in ("digit", "speaker", "voice", "speed", "pitch"):
        assert clips[name].to_pylist() == [getattr(utterance, name) for utterance in planned]
    assert len({utterance.voice for utterance in planned}) == 60
    assert len(set(clips["pcm_mulaw"].to_pylist())) == 600


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("row", [0, 287, 599])
def test_speaking_again_gives_the_stored_bytes(clips: pa.Table, row: int) -> None:
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout
    if "1.51 " not in version:
        pytest.skip(f"the clips are of espeak-ng 1.51, installed is {version.strip()}")
    assert generator.speak(list(generator.utterances())[row]).tobytes() == clips["pcm_mulaw"][row].as_py()
