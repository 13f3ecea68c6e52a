"""Small videos with sound as bytes: a grey level per second, and a sine."""

import io

import av
import numpy as np

WIDTH, HEIGHT, FRAMES_PER_SECOND, RATE_HZ = 64, 48, 10, 16_000


def level(second: int) -> int:
    """Grey level of a second."""
    return 40 + 30 * second


def video_bytes(seconds: float, form: str = "mp4", *, sound: bool = True) -> bytes:
    """A video of `form` (mp4 or flv)."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        pictures = container.add_stream("flv" if form == "flv" else "mpeg4", rate=FRAMES_PER_SECOND)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        speech = container.add_stream("aac", rate=RATE_HZ, layout="mono") if sound else None
        for number in range(round(seconds * FRAMES_PER_SECOND)):
            grey = np.full((HEIGHT, WIDTH, 3), level(number // FRAMES_PER_SECOND), np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(pictures.encode())
        if speech is not None:
            _add(container, speech, seconds)
    return file.getvalue()


def sound_bytes(seconds: float, form: str) -> bytes:
    """A file of sound alone: flac or mp3."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        _add(container, container.add_stream(form, rate=RATE_HZ, layout="mono"), seconds)
    return file.getvalue()


def sine(seconds: float) -> np.ndarray:
    """The sound of all of them."""
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def _add(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    values = (sine(seconds) * 32767).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
    frame.rate = RATE_HZ
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=RATE_HZ, frame_size=stream.frame_size)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode())
