"""Videos and compressed sound, as far as a trial needs them: a frame per second, and a mono waveform.

PyAV brings FFmpeg's decoders; it is optional, since wav files and extracted frames need none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainables.decoding.audio import ABSENT, waveform_issues
from trainables.decoding.bad_bytes import UNREADABLE, head_issue
from trainables.decoding.decoded import Decoded

__all__ = ["INSTALL_VIDEO", "can_decode_videos", "decode_frames", "decode_sound"]

INSTALL_VIDEO = "pip install 'mmpt-sweep[video]'"

Floats = npt.NDArray[np.float32]

_MIDDLE_SECONDS = 0.5
_LATE_SECONDS = 1e-3  # containers round the times of frames
_LONGEST_SECONDS = 600
_NO_PROTOCOL = {"protocol_whitelist": "none"}  # a playlist in a video's clothes must not open other files


def can_decode_videos() -> bool:
    """Tell whether PyAV is installed."""
    return find_spec("av") is not None


def decode_frames(data: bytes, count: int, size: int) -> Decoded:
    """Decode `count` of a video's frames, one per second and evenly spread, to RGB of `size` x `size` pixels.

    A video of n whole seconds (at least one) has the frames shown at 0.5, 1.5, ... n - 0.5 s, of which number
    floor(k n / count), k = 0 ... count - 1, are taken. A frame is resized as `decode_image` does.

    Issues, values None where there is nothing to see:
        `zero_bytes`, `html_instead`, `lfs_pointer`, `unreadable_video`: no video that can be read. None.
        `truncated_video`: it ends too early; the last frame that can be read stands for the others.
        `too_few_frames`: shorter than `count` seconds; frames repeat.

    Returns:
        uint8 (count, 3, size, size).
    """
    if head := head_issue(data):
        return Decoded(None, (head,))
    try:
        with _opened(data) as container:
            return _frames(container, count, size)
    except UNREADABLE:
        return Decoded(None, ("unreadable_video",))


def decode_sound(data: bytes, sample_rate: int) -> Decoded:
    """Decode the first sound of a video, or an mp3, flac, ogg or m4a file, to a mono waveform at `sample_rate`, in Hz.

    Issues, values None where the sound is to be treated as missing:
        `zero_bytes`, `html_instead`, `lfs_pointer`, `unreadable_audio`: nothing that can be read. None.
        `no_audio_stream`: a video without sound. None.
        `zero_audio`, `silent_audio`, `short_audio`: as in `decode_wav`.

    Returns:
        float32 (samples,) in [-1, 1].
    """
    if head := head_issue(data):
        return Decoded(None, (head,))
    try:
        with _opened(data) as container:
            if not container.streams.audio:
                return Decoded(None, ("no_audio_stream",))
            wave = _waveform(container, sample_rate)
    except UNREADABLE:
        return Decoded(None, ("unreadable_audio",))
    issues = waveform_issues(wave, sample_rate)
    return Decoded(None if ABSENT & {*issues} else wave.clip(-1, 1), issues)


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    import av  # noqa: PLC0415 (optional, and only needed where files are decoded)

    try:
        with av.open(BytesIO(data), options=_NO_PROTOCOL) as container:
            yield container
    except av.FFmpegError as error:
        raise ValueError(str(error)) from error


def _frames(container: Any, count: int, size: int) -> Decoded:
    if not container.streams.video:
        return Decoded(None, ("unreadable_video",))
    seconds = max(1, round((container.duration or 0) / 1e6))
    chosen = [place * seconds // count for place in range(count)]
    issues = ["too_few_frames"] if seconds < count else []
    found: dict[int, npt.NDArray[np.uint8]] = {}
    for second in dict.fromkeys(chosen):
        frame = _frame_at(container, second + _MIDDLE_SECONDS)
        if frame is not None:
            found[second] = _pixels(frame, size)
    if not found:
        return Decoded(None, ("unreadable_video",))
    if len(found) < len(set(chosen)):
        issues.append("truncated_video")
    return Decoded(np.stack([_nearest(found, second) for second in chosen]), tuple(issues))


def _frame_at(container: Any, seconds: float) -> Any:
    """Return the first frame that is shown at a time or later, else the last one of the second before; else None.

    A video of half a second has no frame at 0.5 s, but one that is shown last.
    """
    import av  # noqa: PLC0415 (see `_opened`)

    last = None
    try:
        container.seek(int(seconds * 1e6), backward=True)
        for frame in container.decode(video=0):
            last = frame
            if frame.time is not None and frame.time >= seconds - _LATE_SECONDS:
                return frame
    except av.FFmpegError:
        return None
    is_of_this_second = last is not None and (last.time or 0.0) > seconds - 1
    return last if is_of_this_second else None


def _pixels(frame: Any, size: int) -> npt.NDArray[np.uint8]:
    image = Image.fromarray(frame.to_ndarray(format="rgb24")).resize((size, size), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def _nearest(found: dict[int, npt.NDArray[np.uint8]], second: int) -> npt.NDArray[np.uint8]:
    earlier: Sequence[int] = [place for place in found if place <= second]
    return found[max(earlier) if earlier else min(found)]


def _waveform(container: Any, sample_rate: int) -> Floats:
    """Decode until the sound or its limit ends; what comes before damage counts."""
    import av  # noqa: PLC0415 (see `_opened`)

    resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
    pieces: list[Floats] = []
    length = 0
    try:
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                pieces.append(part.to_ndarray()[0])
                length += len(pieces[-1])
            if length >= _LONGEST_SECONDS * sample_rate:
                break
        pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
    except av.FFmpegError:
        if not pieces:
            raise
    return np.concatenate(pieces, dtype=np.float32) if pieces else np.zeros(0, np.float32)
