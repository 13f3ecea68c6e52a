"""Kinetics-Sounds with the list of all three parts, twenty clips with both shapes of names, and defects."""

import json
from pathlib import Path

from raw_media import jpeg_bytes, wav_bytes

LABELS = ("blowing nose", "bowling")
SUBSETS = {"training": 12, "validation": 4, "testing": 4}


def _clips() -> dict[str, tuple[str, str]]:
    """Name -> (subset, label); the first 11 characters are the id."""
    clips = {}
    for subset, count in SUBSETS.items():
        for number in range(count):
            place = len(clips)
            video = f"-_a{place:08d}" if place % 2 else f"b-_c_{place:06d}"
            name = f"{video}_000058_000068" if subset == "training" else f"{video}_{58 + place}"
            clips[name] = (subset, LABELS[number % 2])
    return clips


CLIPS = _clips()
NAMES = list(CLIPS)
DELETED, MUTE, UNSEEN, REPLACED, ONE_FRAME = NAMES[0], NAMES[1], NAMES[2], NAMES[3], NAMES[4]
ODD = "zzzzzzzzzzz_000001_000011"

PARAMS = {"image_size": 16, "video_frames": 3, "bands": 16, "frames": 32}
SIZES = {"train": 11, "val": 4, "test": 4}
PLANTED = {
    "missing_file": {f"audio/{DELETED[:11]}.wav", *(f"Image-01-FPS/{name[:11]}" for name in (DELETED, UNSEEN))},
    "nothing_left": {DELETED[:11]},
    "incomplete_class": {"blowing nose: 9 of 10"},
    "no_audio_stream": {MUTE[:11]},
    "dup_id": {f"audio/{REPLACED}.wav"},
    "too_few_frames": {f"Image-01-FPS/{ONE_FRAME}/00001.jpg"},
    "unknown_label": {ODD[:11]},
}


def make_raw(root: Path) -> None:
    make_clips(root)
    listed = {**CLIPS, ODD: ("training", "yodelling")}
    database = {name: {"subset": subset, "label": label.replace(" ", "_")} for name, (subset, label) in listed.items()}
    (root / "KS_train_val.json").write_text(json.dumps({"labels": list(LABELS), "database": database}))


def make_clips(root: Path) -> None:
    (root / "audio").mkdir(parents=True)
    for seed, name in enumerate([*NAMES, ODD]):
        if name == DELETED:
            continue
        if name != MUTE:
            (root / "audio" / f"{name}.wav").write_bytes(wav_bytes(seed, seconds=0.3))
        for number in range(1, 2 if name == ONE_FRAME else 4):
            folder = root / "Image-01-FPS" / name
            folder.mkdir(parents=True, exist_ok=True)
            if name != UNSEEN:
                image = jpeg_bytes(100 * number + seed, width=24, height=18)
                (folder / f"{number:05d}.jpg").write_bytes(image)
    (root / "audio" / f"{REPLACED}.wav").write_bytes(b"corrupted")
    better = root / "replacement_for_corrupted_k400" / "audio"
    better.mkdir(parents=True)
    (better / f"{REPLACED}.wav").write_bytes(wav_bytes(50, seconds=0.3))
