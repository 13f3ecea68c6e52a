"""Clips: any video, sound or folder of images that is named after one; what was extracted wins over a video."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trainables.api_files import (
    AudioParams,
    AudioReader,
    Audit,
    FramesReader,
    ImageParams,
    Media,
    RawDataError,
    Reader,
    Tree,
)
from trainables.decoding.videos import INSTALL_VIDEO, can_decode_videos
from trainables.params import number

__all__ = ["CLIP_ENCODERS", "FRAMES_FOLDER", "TINY_CLIPS", "ClipParams", "Clips", "clip_readers"]

FRAMES_FOLDER = "Image-01-FPS"
_SOUNDS_FOLDER = "audio"
CLIP_ENCODERS = MappingProxyType(
    {"audio": "ast:MIT/ast-finetuned-audioset-10-10-0.4593", "video": "vit:google/vit-base-patch16-224"}
)
TINY_CLIPS = MappingProxyType({"image_size": 32, "video_frames": 1, "bands": 32, "frames": 64})

_WAV, _SOUNDS = ".wav", {".mp3", ".flac", ".ogg", ".m4a"}
_IMAGES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_VIDEOS = {".mp4", ".flv", ".mkv", ".webm", ".avi"}
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True)
class ClipParams(AudioParams, ImageParams):
    """How clips are stored.

    Attributes:
        video_frames: images kept of a clip, evenly spread.
    """

    video_frames: int = number(3, 1, 64)


def clip_readers(params: ClipParams) -> Mapping[str, Reader]:
    """Return how sound and frames are read."""
    return {"audio": AudioReader(params), "video": FramesReader(params, frames=params.video_frames)}


class Clips:
    """What a tree has of every clip.

    Args:
        tree: the raw files.
        name_of: from the name of a file (without suffix) or of a folder of frames to the clip's name.
        preferred: paths with this word win over others of the same clip; else the first in alphabetical order wins.

    Attributes:
        sounds: clip -> wav file, or with PyAV another sound.
        frames: clip -> images in order: by the numbers in their names.
        videos: clip -> video.
    """

    def __init__(self, tree: Tree, name_of: Callable[[str], str] = str, preferred: str = "") -> None:
        self._root = tree.root
        sounds: dict[str, list[str]] = {}
        folders: dict[str, dict[str, list[str]]] = {}
        self.videos: dict[str, str] = {}
        self._can_decode = can_decode_videos()
        for path in sorted(tree.sizes, key=lambda path: (preferred not in path, not path.lower().endswith(_WAV), path)):
            folder, _, file = path.rpartition("/")
            stem, dot, suffix = file.rpartition(".")
            kind = (dot + suffix).lower()
            if kind == _WAV or (self._can_decode and kind in _SOUNDS):
                sounds.setdefault(name_of(stem), []).append(path)
            elif kind in _IMAGES:
                folders.setdefault(name_of(folder.rpartition("/")[2]), {}).setdefault(folder, []).append(path)
            elif kind in _VIDEOS:
                self.videos.setdefault(name_of(stem), path)
        self.sounds = {name: paths[0] for name, paths in sounds.items()}
        self.frames = {name: sorted(next(iter(found.values())), key=_place) for name, found in folders.items()}
        self._passed_over = {name: paths[1:] for name, paths in sounds.items()}
        for name, found in folders.items():
            self._passed_over.setdefault(name, []).extend(list(found)[1:])

    def there(self, clip: str) -> bool:
        """Tell whether anything that can be read is there."""
        return clip in self.sounds or clip in self.frames or (self._can_decode and clip in self.videos)

    def passed_over(self, clip: str) -> Iterator[str]:
        """Yield files and folders of a clip of which another is used."""
        yield from self._passed_over.get(clip, ())

    def media(self, clip: str, audit: Audit, released_sounds: str | None = None) -> dict[str, Media]:
        """Return a clip's sound and frames; what is not there is named, so that it is found missing.

        Args:
            clip: its name.
            audit: where a clip that has frames but no sound is recorded as one without sound.
            released_sounds: folder of wav files that the release itself has: there, such a clip lacks a file.
        """
        video = self.videos.get(clip) if self._can_decode else None
        inside = video if released_sounds is None else None
        sound = self.sounds.get(clip) or inside or f"{released_sounds or _SOUNDS_FOLDER}/{clip}.wav"
        is_mute = clip in self.frames and not (clip in self.sounds or released_sounds or inside)
        if is_mute:
            audit.add("no_audio_stream", clip)
        frames = self.frames.get(clip) or video or (f"{FRAMES_FOLDER}/{clip}",)
        return {"audio": None if is_mute else sound, "video": frames}

    def require(self, clips: Collection[str]) -> None:
        """Check that there are sounds and frames of at least one of the clips.

        Raises:
            RawDataError: there are none; the message says how to have videos decoded, or to extract them.
        """
        if self._can_decode and any(clip in self.videos for clip in clips):
            return
        pairs = (("sounds (wav)", self.sounds), ("frames (folders of images)", self.frames))
        lacking = [what for what, found in pairs if not any(clip in found for clip in clips)]
        if lacking:
            known = next((self.videos[clip] for clip in clips if clip in self.videos), None)
            raise RawDataError(
                f"{self._root} has no {' and no '.join(lacking)} of the listed clips; {_how_to_extract(known)}"
            )


def _place(path: str) -> tuple[list[int], str]:
    return [int(digits) for digits in _NUMBER.findall(path.rpartition("/")[2])], path


def _how_to_extract(video: str | None) -> str:
    folder, _, file = (video or "VIDEOS/clip.mp4").rpartition("/")
    videos = f"{folder or '.'}/*.{file.rpartition('.')[2]}"
    found = f"{video} is there, but to decode videos" if video else "to decode videos"
    return f"""{found} this program needs PyAV: {INSTALL_VIDEO}. Or extract them first:
  mkdir -p {_SOUNDS_FOLDER}; for f in {videos}; do n=$(basename "${{f%.*}}"); mkdir -p "{FRAMES_FOLDER}/$n"
    ffmpeg -nostdin -i "$f" -vf fps=1 -q:v 2 "{FRAMES_FOLDER}/$n/%05d.jpg"
    ffmpeg -nostdin -i "$f" -vn -ac 1 -ar 16000 "{_SOUNDS_FOLDER}/$n.wav"; done"""
