"""AVE with its lists of records: a header, categories with commas, a video in two splits, an empty event, defects."""

from pathlib import Path

from raw_media import jpeg_bytes, wav_bytes

SPEECH, BARK = "Male speech, man speaking", "Bark"
COUNTS = {"train": 10, "val": 10, "test": 10}


def _records() -> dict[str, list[tuple[str, str, int, int]]]:
    """Split -> (category, video, start, end)."""
    return {
        split: [(SPEECH if n % 2 else BARK, f"{split[0:2]}-_{n:07d}", 0, 10) for n in range(count)]
        for split, count in COUNTS.items()
    }


RECORDS = _records()
TWIN, EMPTY, MUTE = RECORDS["test"][0][1], RECORDS["train"][2][1], RECORDS["train"][3][1]
RECORDS["train"].append((SPEECH, TWIN, 0, 10))
RECORDS["train"].append((BARK, "GONEGONEGON", 0, 10))
RECORDS["train"][2] = (BARK, EMPTY, 0, 0)

REFUSED = False  # its only clip that lacks one thing has no sound at all, which is no missing file
PARAMS = {"image_size": 16, "video_frames": 1, "bands": 16, "frames": 32}
SIZES = {"train": 11, "val": 10, "test": 10}
PLANTED = {
    "dup_id": {TWIN},
    "cross_split_dup": {f"{TWIN} {BARK}"},
    "dup_path": {f"Image-01-FPS/{TWIN}/00001.jpg", f"audio/{TWIN}.wav"},
    "empty_event": {f"{EMPTY} {BARK}"},
    "no_audio_stream": {MUTE},
    "missing_file": {"audio/GONEGONEGON.wav", "Image-01-FPS/GONEGONEGON"},
    "nothing_left": {f"GONEGONEGON {BARK}"},
    "unknown_label": {"valSet.txt:11", "yodelling12 Yodelling"},
}


def line(record: tuple[str, str, int, int]) -> str:
    category, video, start, end = record
    return f"{category}&{video}&good&{start}&{end}"


def make_raw(root: Path) -> None:
    make_clips(root)
    for split, records in RECORDS.items():
        lines = ["Category&VideoID&Quality&StartTime&EndTime"] * (split == "train") + [line(one) for one in records]
        lines += ["no record at all"] * (split == "val") + ["Yodelling&yodelling12&good&0&10"] * (split == "test")
        (root / f"{split}Set.txt").write_text("\n".join(lines) + "\n")


def make_clips(root: Path) -> None:
    (root / "audio").mkdir(parents=True)
    videos = {record[1] for records in RECORDS.values() for record in records} - {"GONEGONEGON"}
    for seed, video in enumerate([*sorted(videos), "yodelling12"]):
        if video != MUTE:
            (root / "audio" / f"{video}.wav").write_bytes(wav_bytes(seed, seconds=0.3))
        folder = root / "Image-01-FPS" / video
        folder.mkdir(parents=True)
        for number in (1, 2):
            (folder / f"{number:05d}.jpg").write_bytes(jpeg_bytes(100 * number + seed, width=24, height=18))
