"""What AV-MNIST is made of, in small: MNIST's files, recordings of two speakers and fifty noises, with defects."""

import gzip
import struct
from pathlib import Path

import numpy as np
from raw_media import wav_bytes

TRAIN, TEST = 20, 12
DIGITS = 3

PARAMS = {"image_size": 28, "bands": 16, "frames": 32}
SIZES = {"train": TRAIN, "val": TEST // 2, "test": TEST // 2}
PLANTED = {
    "zero_bytes": {"recordings/2_theo_1.wav"},
    "missing_file": {"ESC-50/audio/3-107-A-7.wav"},
    "html_instead": {"ESC-50/audio/1-109-A-7.wav"},
    "apple_double": {"recordings/._0_theo_0.wav"},
}


def labels(part: str) -> np.ndarray:
    return (np.arange(TRAIN if part == "train" else TEST) % DIGITS).astype(np.uint8)


def images(part: str) -> np.ndarray:
    """Images in which the digit, and a little else, can be seen."""
    generator = np.random.default_rng(len(part))
    patterns = np.random.default_rng(7).random((DIGITS, 28, 28))
    mixed = 0.7 * patterns[labels(part)] + 0.3 * generator.random((len(labels(part)), 28, 28))
    return (255 * mixed).astype(np.uint8)


def idx_bytes(values: np.ndarray, magic: int) -> bytes:
    return struct.pack(f">I{values.ndim}I", magic, *values.shape) + values.tobytes()


def make_mnist(folder: Path, *, packed: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "t10k"):
        for what, values, magic in (("images-idx3", images(part), 2051), ("labels-idx1", labels(part), 2049)):
            content = idx_bytes(values, magic)
            name = f"{part}-{what}-ubyte"
            (folder / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(content) if packed else content)


def make_raw(root: Path) -> None:
    make_mnist(root / "mnist", packed=True)
    (root / "recordings").mkdir()
    for seed, speaker in enumerate(("theo", "george")):
        for digit in range(10):
            for number in (0, 1, 40, 41):
                wav = wav_bytes(digit + 10 * seed + number, seconds=0.2 + 0.01 * digit, rate_hz=8_000)
                (root / "recordings" / f"{digit}_{speaker}_{number}.wav").write_bytes(wav)
    (root / "recordings" / "2_theo_1.wav").write_bytes(b"")
    (root / "recordings" / "._0_theo_0.wav").write_bytes(b"Mac")
    _make_noises(root / "ESC-50")


def _make_noises(folder: Path) -> None:
    (folder / "meta").mkdir(parents=True)
    (folder / "audio").mkdir()
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for target in range(50):
        names = [f"2-{102 + target}-A-{target}.wav"]
        if target == 7:  # drawn before the first one, which therefore is taken
            names += ["3-107-A-7.wav", "1-109-A-7.wav"]
        lines += [f"{name},1,{target},class {target},False,1,A" for name in names]
        (folder / "audio" / names[0]).write_bytes(wav_bytes(target, seconds=0.4, rate_hz=44_100))
    (folder / "audio" / "1-109-A-7.wav").write_bytes(b"<!DOCTYPE html><html>gone</html>")
    (folder / "meta" / "esc50.csv").write_text("\n".join(lines))
