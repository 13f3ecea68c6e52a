"""Preparing 20,000 JPEGs with captions, against the fastest plain loop that decodes and resizes them.

Prints images per second of both, the ratio, the memory of all processes together, what the second call costs, and what
being killed half-way costs.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from trainables.dataset_identity import build_dataset, compute_fingerprint
from trainables.prepared import prepare
from trainables.preparing.building import BuildOptions

WIDTH, HEIGHT, SIZE = 500, 750, 224
DISTINCT = 200
DATASET = "n24news_caption"
PARAMS = {"tokenizer": "words", "tokens": 64}
PROCESSES = len(os.sched_getaffinity(0))


def make_tree(root: Path, count: int) -> None:
    """Write `count` articles in N24News' layout: smooth pictures with some noise, about 70 kB each, and captions."""
    (root / "imgs").mkdir(parents=True)
    generator = np.random.default_rng(0)
    pictures = [_picture(generator) for _ in range(DISTINCT)]
    words = np.array([f"word{number}" for number in range(3000)])
    articles = []
    for number in range(count):
        name = f"{number:032x}"
        (root / "imgs" / f"{name}.jpg").write_bytes(pictures[number % DISTINCT])
        caption = " ".join(generator.choice(words, 20))
        articles.append({"article_id": name, "image_id": name, "section": "Health", "caption": caption})
    cuts = (count * 6 // 10, count * 7 // 10)
    for split, own in zip(("train", "dev", "test"), np.split(np.arange(count), cuts), strict=True):
        (root / f"nytimes_{split}.json").write_text(json.dumps([articles[number] for number in own]))


def _picture(generator: np.random.Generator) -> bytes:
    coarse = Image.fromarray(generator.integers(0, 256, (12, 8, 3), dtype=np.uint8)).resize((WIDTH, HEIGHT))
    noisy = np.asarray(coarse, np.int16) + generator.normal(0, 6, (HEIGHT, WIDTH, 3)).astype(np.int16)
    file = BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def plain(paths: list[str], kept: str | None = None) -> int:
    """Decode and resize: nothing is checked, and the pixels are thrown away unless a file is named for them."""
    total = 0
    with Path(kept or os.devnull).open("wb", buffering=0) as file:
        for path in paths:
            with Image.open(path) as image:
                image.draft("RGB", (SIZE, SIZE))
                pixels = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
            total += int(pixels[0, 0, 0])
            if kept:
                file.write(pixels.data)
    return total


def seconds_of_plain_loop(root: Path, folder: Path | None = None) -> float:
    """Time the plain loop in as many processes; with a folder, it keeps the pixels there."""
    paths = [str(path) for path in sorted((root / "imgs").glob("*.jpg"))]
    parts = [paths[start : start + 256] for start in range(0, len(paths), 256)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(plain, [[paths[0]]] * PROCESSES))  # the processes are there before the clock starts
        started = time.perf_counter()
        files = [str(folder / f"{place}.pixels") if folder else None for place in range(len(parts))]
        list(pool.map(plain, parts, files))
        return time.perf_counter() - started


class PeakMemory:
    """Samples the proportional memory of this process and its descendants; mapped files count by who uses them."""

    def __enter__(self) -> Self:
        self.anonymous_mib = self.proportional_mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            sums = [_memory_mib(process) for process in _family(os.getpid())]
            self.proportional_mib = max(self.proportional_mib, sum(one[0] for one in sums))
            self.anonymous_mib = max(self.anonymous_mib, sum(one[1] for one in sums))


def _family(process: int) -> list[int]:
    found = [process]
    for own in found:
        for task in Path(f"/proc/{own}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _memory_mib(process: int) -> tuple[float, float]:
    try:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    except OSError:
        return 0.0, 0.0
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("Pss", "Pss_Anon"))  # type: ignore[return-value]


def command(root: Path, cache: Path) -> list[str]:
    """The user's command."""
    settings = [part for name, value in PARAMS.items() for part in ("--set", f"{name}={value}")]
    folders = ["--root", str(root), "--cache", str(cache)]
    return [sys.executable, "-m", "orchestrator", "prepare", DATASET, *folders, *settings, "--max-missing", "1"]


def seconds_of_command(root: Path, cache: Path, kill_after: float | None = None) -> float:
    """Time one call of it, or kill it on the way."""
    started = time.perf_counter()
    running = subprocess.Popen(command(root, cache), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        running.wait(kill_after)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
        running.wait()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MMPT_CACHE"] = folder
        root = Path(folder, "raw")
        make_tree(root, count)
        print(f"{count} images of {WIDTH} x {HEIGHT} to {SIZE}, {PROCESSES} processes")
        loops, keeping, ours = [], [], []
        for _ in range(3):  # in turn, so that both see the same machine; the first finds memory that nobody used yet
            loops.append(seconds_of_plain_loop(root))
            pixels = Path(folder, "pixels")
            pixels.mkdir()
            keeping.append(seconds_of_plain_loop(root, pixels))
            shutil.rmtree(pixels)
            dataset = build_dataset(DATASET, PARAMS)
            dataset.root = root
            with PeakMemory() as memory:
                started = time.perf_counter()
                fingerprint = compute_fingerprint(dataset)
                prepare(dataset, fingerprint, Path(folder, "cache"), BuildOptions(max_missing=1.0))
                ours.append(time.perf_counter() - started)
            shutil.rmtree(Path(folder, "cache"))
            shutil.rmtree(Path(folder, "indexes"))
        for loop, keep, own in zip(loops, keeping, ours, strict=True):
            print(
                f"plain loop {count / loop:.0f}/s, keeping pixels {count / keep:.0f}/s, preparing {count / own:.0f}/s: "
            )
            print(f"  {loop / own:.2f} of the plain loop, {keep / own:.2f} of one that keeps the pixels")
        print(f"memory of all: {memory.anonymous_mib:.0f} MiB, {memory.proportional_mib:.0f} MiB with mapped files")
        whole = seconds_of_command(root, Path(folder, "whole"))
        again = seconds_of_command(root, Path(folder, "whole"))
        first = seconds_of_command(root, Path(folder, "killed"), kill_after=whole / 2)
        second = seconds_of_command(root, Path(folder, "killed"))
        print(f"the command: {whole:.1f} s; called again: {again:.2f} s")
        print(
            f"killed after {first:.1f} s, called again: {second:.1f} s more, {(first + second) / whole - 1:+.1%} in all"
        )


if __name__ == "__main__":
    main()
