import io
import struct
import warnings

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile
from transformers import ASTFeatureExtractor

from trainables.decoding.audio import decode_wav, log_mel
from trainables.preparing.audio_reader import AudioParams, mel_info, mel_of
from trainables.stored_inputs import as_input

RATE = 16_000
SECONDS = np.arange(RATE) / RATE
TONE = 0.5 * np.sin(2 * np.pi * 440 * SECONDS)


def wav(samples: npt.NDArray[np.generic], rate: int = RATE) -> bytes:
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def pcm_24_bits(samples: npt.NDArray[np.float64]) -> bytes:
    whole = (samples * 2**23).astype("<i4").tobytes()
    body = b"".join(whole[start : start + 3] for start in range(0, len(whole), 4))
    form = struct.pack("<HHIIHH", 1, 1, RATE, 3 * RATE, 3, 24)
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(body)) + body


def pcm_16_bits(samples: npt.NDArray[np.float64]) -> bytes:
    return wav((samples * 2**15).astype(np.int16))


FORMS = {
    "8 bits": (wav((TONE * 128 + 128).astype(np.uint8)), 1 / 128),
    "16 bits": (pcm_16_bits(TONE), 2**-15),
    "24 bits": (pcm_24_bits(TONE), 2**-23),
    "32 bits": (wav((TONE * 2**31).astype(np.int32)), 2**-23),
    "single": (wav(TONE.astype(np.float32)), 2**-23),
    "double": (wav(TONE), 2**-23),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_sample_format_has_full_scale_one(form: str) -> None:
    data, step = FORMS[form]
    decoded = decode_wav(data, RATE)
    assert decoded.issues == ()
    assert decoded.values is not None
    assert decoded.values.dtype == np.float32
    np.testing.assert_allclose(decoded.values, TONE, atol=step)


def test_channels_are_averaged() -> None:
    decoded = decode_wav(wav(np.stack([TONE, np.zeros_like(TONE)], axis=1).astype(np.float32)), RATE)
    np.testing.assert_allclose(decoded.values, TONE / 2, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_other_rates_are_resampled(rate: int) -> None:
    decoded = decode_wav(wav((0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32), rate), RATE)
    assert decoded.issues == ()
    assert decoded.values is not None
    assert len(decoded.values) == RATE
    np.testing.assert_allclose(decoded.values[800:-800], TONE[800:-800], atol=2e-3)


def test_floats_beyond_full_scale_are_clipped() -> None:
    values = decode_wav(wav((4 * TONE).astype(np.float32)), RATE).values
    assert values is not None
    assert (values.min(), values.max()) == (-1, 1)


def test_placeholder_sizes_and_odd_tails_of_a_pipe_are_read() -> None:
    data = bytearray(pcm_16_bits(TONE))
    struct.pack_into("<I", data, 4, 0x7FFFF024)
    struct.pack_into("<I", data, 40, 0x7FFFF000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoded = decode_wav(bytes(data) + b"\0", RATE)
    assert decoded.issues == ()
    np.testing.assert_array_equal(decoded.values, decode_wav(pcm_16_bits(TONE), RATE).values)


def test_chunks_of_other_kinds_are_passed_over() -> None:
    plain = pcm_16_bits(TONE)
    data = plain[:36] + b"bext" + struct.pack("<I", 3) + b"abc\0" + plain[36:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(decode_wav(data, RATE).values, decode_wav(plain, RATE).values)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "zero_bytes"),
        (b"<html>", "html_instead"),
        (b"version https://git-lfs.github.com/spec/v1\n", "lfs_pointer"),
        (b"ID3 this is an mp3", "unreadable_audio"),
        (pcm_16_bits(TONE)[:30], "unreadable_audio"),
        (wav(np.full(RATE, np.nan, dtype=np.float32)), "unreadable_audio"),
        (wav(TONE.astype(np.float32), 900), "unreadable_audio"),
        (pcm_16_bits(TONE)[:44], "zero_audio"),
        (wav(np.zeros(0, dtype=np.int16)), "zero_audio"),
        (wav(np.full(RATE, 9e-5, dtype=np.float32)), "silent_audio"),
    ],
)
def test_what_cannot_be_heard_is_missing(data: bytes, code: str) -> None:
    decoded = decode_wav(data, RATE)
    assert decoded.values is None
    assert decoded.issues == (code,)


@pytest.mark.parametrize(("samples", "issues"), [(1_599, ("short_audio",)), (1_600, ())])
def test_short_audio_is_kept(samples: int, issues: tuple[str, ...]) -> None:
    decoded = decode_wav(pcm_16_bits(TONE[:samples]), RATE)
    assert decoded.issues == issues
    assert decoded.values is not None
    assert len(decoded.values) == samples


@given(st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", pcm_16_bits(TONE)[:36], pcm_16_bits(TONE)[:20]]), st.binary())
def test_random_bytes_never_raise(head: bytes, tail: bytes) -> None:
    decoded = decode_wav(head + tail, RATE)
    assert decoded.issues if decoded.values is None else decoded.values.ndim == 1


@given(st.integers(12, 43), st.integers(0, 255))
def test_damaged_headers_never_raise(place: int, byte: int) -> None:
    damaged = bytearray(pcm_16_bits(TONE[:2_000]))
    damaged[place] = byte
    decoded = decode_wav(bytes(damaged), RATE)
    assert decoded.issues if decoded.values is None else decoded.values.ndim == 1


def signals() -> dict[str, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    made = {
        "noise": rng.normal(0, 0.1, RATE),
        "tone": TONE + 0.2,
        "quiet": rng.normal(0, 1e-5, RATE // 2),
        "late": np.concatenate([np.zeros(4_000), rng.normal(0, 0.3, 9_000)]),
        "long": rng.normal(0, 0.3, 12 * RATE),
        "one window": rng.normal(0, 0.3, 400),
    }
    return {name: values.astype(np.float32) for name, values in made.items()}


@pytest.mark.filterwarnings("ignore:At least one mel filter")
@pytest.mark.parametrize("name", list(signals()))
def test_log_mel_is_that_of_the_ast_feature_extractor(name: str) -> None:
    waveform = signals()[name]
    expected = ASTFeatureExtractor(do_normalize=False)(waveform, sampling_rate=RATE, return_tensors="np")
    values = log_mel(waveform, sample_rate=RATE, bands=128, frames=1_024)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected["input_values"][0].T, atol=1e-4)


@pytest.mark.filterwarnings("ignore:At least one mel filter")
@pytest.mark.parametrize("stored_frames", [None, 100])
def test_what_an_encoder_gets_is_what_the_ast_feature_extractor_makes(stored_frames: int | None) -> None:
    waveform = signals()["noise"]
    expected = ASTFeatureExtractor()(waveform, sampling_rate=RATE, return_tensors="np")["input_values"][0].T
    info = mel_info(AudioParams(), stored_frames)
    stored = torch.from_numpy(mel_of(waveform, info))[None]
    assert stored.dtype == torch.float16
    values = as_input(stored, info)[0].numpy()
    # half precision keeps eleven bits of numbers below 16, and the deviation is 2 * 4.57
    np.testing.assert_allclose(values, expected, atol=16 * 2**-11 / 9.1 / 2 + 1e-5)


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 559, 560])
def test_frames_are_padded_with_zeros(samples: int) -> None:
    values = log_mel(TONE[:samples].astype(np.float32), sample_rate=RATE, bands=64, frames=5)
    assert values.shape == (64, 5)
    filled = max(1, 1 + (samples - 400) // 160)
    assert values[:, :filled].any(axis=0).all()
    assert not values[:, filled:].any()


def test_frames_that_are_cut_change_nothing_before() -> None:
    waveform = signals()["noise"]
    long, short = (log_mel(waveform, sample_rate=8_000, bands=32, frames=frames) for frames in (60, 20))
    np.testing.assert_array_equal(long[:, :20], short)
