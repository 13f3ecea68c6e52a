"""Videos and compressed sounds, and what is wrong with them."""

import numpy as np
import pytest
from raw_videos import RATE_HZ, level, sine, sound_bytes, video_bytes

from trainables.decoding.videos import decode_frames, decode_sound


@pytest.mark.parametrize("form", ["mp4", "flv"])
def test_frames_are_spread_over_the_seconds(form: str) -> None:
    found = decode_frames(video_bytes(6, form), 3, 16)
    assert found.values is not None
    assert found.values.shape == (3, 3, 16, 16)
    assert found.values.dtype == np.uint8
    np.testing.assert_allclose(found.values.mean(axis=(1, 2, 3)), [level(0), level(2), level(4)], atol=3)
    assert found.issues == ()


def test_a_short_video_repeats_its_frames() -> None:
    found = decode_frames(video_bytes(0.4), 3, 8)
    assert found.issues == ("too_few_frames",)
    assert found.values is not None
    np.testing.assert_allclose(found.values.mean(axis=(1, 2, 3)), level(0), atol=3)


@pytest.mark.parametrize("form", ["mp4", "flv"])
def test_the_sound_of_a_video_is_its_waveform(form: str) -> None:
    found = decode_sound(video_bytes(2, form), RATE_HZ)
    assert found.values is not None
    assert found.issues == ()
    assert _tone_hz(found.values) == pytest.approx(440, abs=1)
    assert found.values[RATE_HZ // 2 : RATE_HZ].std() == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    assert len(found.values) / RATE_HZ == pytest.approx(2, abs=0.2), "codecs pad the beginning and the end"


def test_flac_is_exact_and_mp3_close() -> None:
    flac = decode_sound(sound_bytes(1.5, "flac"), RATE_HZ)
    assert flac.values is not None
    np.testing.assert_allclose(flac.values, sine(1.5), atol=1e-4)
    mp3 = decode_sound(sound_bytes(1.5, "mp3"), RATE_HZ)
    assert mp3.values is not None
    assert _tone_hz(mp3.values) == pytest.approx(440, abs=1)
    other_rate = decode_sound(sound_bytes(1.5, "flac"), 8_000)
    assert other_rate.values is not None
    assert len(other_rate.values) == pytest.approx(12_000, abs=50)


def test_what_is_wrong_is_said() -> None:
    mute = video_bytes(1, sound=False)
    assert decode_sound(mute, RATE_HZ).issues == ("no_audio_stream",)
    assert decode_frames(sound_bytes(1, "mp3"), 1, 8).issues == ("unreadable_video",)
    assert decode_sound(sound_bytes(0.05, "flac"), RATE_HZ).issues == ("short_audio",)
    for data, code in (
        (b"", "zero_bytes"),
        (b"<!DOCTYPE html><p>404", "html_instead"),
        (b"version https://git-lfs.github.com/spec/v1", "lfs_pointer"),
        (bytes(range(256)) * 8, "unreadable"),
    ):
        for found in (decode_frames(data, 1, 8), decode_sound(data, RATE_HZ)):
            assert found.values is None
            assert found.issues[0].startswith(code)


def test_a_video_that_ends_too_early_is_read_as_far_as_it_goes() -> None:
    whole = video_bytes(8, "flv")  # written in order, so that a part of it can be played
    found = decode_frames(whole[: len(whole) // 2], 4, 8)
    assert found.values is not None
    assert found.issues == ("truncated_video",)
    assert found.values[0].mean() == pytest.approx(level(0), abs=3)
    assert found.values[3].mean() < level(6) - 10, "a frame from before the end"


def test_a_playlist_that_calls_itself_a_video_opens_nothing() -> None:
    for target in ("/etc/passwd", "http://127.0.0.1:9/a.ts"):
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n".encode()
        assert decode_frames(playlist, 1, 8).issues == ("unreadable_video",)
        assert decode_sound(playlist, RATE_HZ).issues == ("unreadable_audio",)


@pytest.mark.parametrize("seed", range(8))
def test_damage_never_raises(seed: int) -> None:
    data = bytearray(video_bytes(2))
    draws = np.random.default_rng(seed)
    for place in draws.integers(0, len(data), 40):
        data[place] = draws.integers(0, 256)
    for found in (decode_frames(bytes(data), 2, 8), decode_sound(bytes(data), RATE_HZ)):
        assert found.values is not None or found.issues


def _tone_hz(wave: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 8 * len(wave)))
    return float(np.argmax(spectrum) * RATE_HZ / (8 * len(wave)))
