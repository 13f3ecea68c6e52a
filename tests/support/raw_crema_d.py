"""CREMA-D in its official layout with OGM-GE's lists: four actors, 24 clips, frames beside the sounds, and defects."""

from itertools import product
from pathlib import Path

from raw_media import jpeg_bytes, wav_bytes

ACTORS = ("1001", "1002", "1075", "1085")
STEMS = [
    f"{actor}_{sentence}_{emotion}_XX" for actor, sentence, emotion in product(ACTORS, ("DFA", "IEO"), ("ANG", "NEU"))
]
STEMS += [
    f"{actor}_TIE_{emotion}_{'X' if actor == '1002' else 'HI'}" for actor, emotion in product(ACTORS, ("ANG", "NEU"))
]
TEST = ["1001_DFA_ANG_XX", "1002_DFA_NEU_XX", "1075_IEO_ANG_XX", "1085_IEO_NEU_XX"]
STUB, SILENT, ONE_FRAME, CUT = STEMS[1], STEMS[2], STEMS[3], STEMS[6]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 81368\n"

PARAMS = {"image_size": 16, "video_frames": 2, "bands": 16, "frames": 32}
SIZES = {"train": 18, "val": 2, "test": 4}
PLANTED = {
    "lfs_pointer": {f"AudioWAV/{STUB}.wav"},
    "zero_audio": {f"AudioWAV/{SILENT}.wav"},
    "too_few_frames": {f"Image-01-FPS/{ONE_FRAME}/00001.jpg"},
    "truncated_image": {f"Image-01-FPS/{CUT}/00001.jpg"},
    "missing_file": {"AudioWAV/1091_WSI_HAP_XX.wav", "Image-01-FPS/1091_WSI_HAP_XX"},
    "nothing_left": {"1091_WSI_HAP_XX"},
    "unknown_label": {"1001_TSI_BOR_XX"},
    "unlisted_file": {"AudioWAV/1002_MTI_ANG_XX.wav"},
    "dup_id": {STEMS[4]},
    "cross_split_dup": {TEST[0]},
    "apple_double": {"AudioWAV/._1001_DFA_ANG_XX.wav"},
}


def make_raw(root: Path) -> None:
    make_clips(root)
    train = [stem for stem in STEMS if stem not in TEST]
    train += ["1091_WSI_HAP_XX", "1001_TSI_BOR_XX", STEMS[4], TEST[0]]
    for name, stems, mark in (("train", train, ""), ("test", TEST, "\ufeff")):
        lines = [f"{stem},{stem.split('_')[2]}" for stem in stems]
        (root / f"{name}.csv").write_bytes((mark + "\r\n".join(lines) + "\r\n").encode())


def make_clips(root: Path) -> None:
    (root / "AudioWAV").mkdir(parents=True)
    for seed, stem in enumerate([*STEMS, "1001_TSI_BOR_XX"]):
        (root / "AudioWAV" / f"{stem}.wav").write_bytes(wav_bytes(seed, seconds=0.3))
        folder = root / "Image-01-FPS" / stem
        folder.mkdir(parents=True)
        for number in (1, 2, 10):
            if stem != ONE_FRAME or number == 1:
                image = jpeg_bytes(100 * number + seed, width=24, height=18)
                (folder / f"{number:05d}.jpg").write_bytes(image[:300] if (stem, number) == (CUT, 1) else image)
    (root / "AudioWAV" / f"{STUB}.wav").write_bytes(POINTER)
    (root / "AudioWAV" / f"{SILENT}.wav").write_bytes(wav_bytes(0, seconds=0))
    (root / "AudioWAV" / "1002_MTI_ANG_XX.wav").write_bytes(wav_bytes(99, seconds=0.3))
    (root / "AudioWAV" / "._1001_DFA_ANG_XX.wav").write_bytes(b"Mac")
