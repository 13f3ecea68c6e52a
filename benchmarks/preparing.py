"""Preparing 20,000 JPEGs with captions, against the fastest plain loop that decodes and resizes them.

Prints images per second and processor time of both, the memory of all processes together, what the second call costs,
and what being killed half-way costs. Processor time is what to look at where other work disturbs the wall clock. The
first repetition may find memory that nobody used yet, which costs more to write to.
"""

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from processes import PeakMemory, family, processor_seconds, user_seconds
from scipy import stats

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


class Cost(NamedTuple):
    """What a process and all that it started took.

    Other work on the machine changes the processor time less than the wall time; its part outside the kernel depends
    least on whether a virtual machine has the memory already.
    """

    user_seconds: float
    processor_seconds: float
    wall_seconds: float

    def __add__(self, other: object) -> "Cost":
        assert isinstance(other, Cost)
        return Cost(*(one + another for one, another in zip(self, other, strict=True)))

    def __str__(self) -> str:
        return f"{self.processor_seconds:.1f} s of processors in {self.wall_seconds:.1f} s"


def cost_of(what: Callable[[], object]) -> Cost:
    """Measure a call; the processes that it starts must have ended when it returns."""
    before = _used()
    what()
    return _since(before)


def _used() -> Cost:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    user = sum(one.ru_utime for one in used)
    return Cost(user, user + sum(one.ru_stime for one in used), time.perf_counter())


def _since(before: Cost) -> Cost:
    return Cost(*(now - then for now, then in zip(_used(), before, strict=True)))


def plain(paths: list[str], kept: str | None = None) -> None:
    """Decode and resize: nothing is checked, and the image is thrown away unless a file is named for its pixels."""
    Image.core.set_blocks_max(4)  # without it, memory is mapped anew for each image, and the loop is a sixth slower
    with Path(kept or os.devnull).open("wb", buffering=0) as file:
        for path in paths:
            with Image.open(path) as image:
                image.draft("RGB", (SIZE, SIZE))
                small = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
            if kept:
                file.write(small.tobytes())


def plain_loop(root: Path, folder: Path | None = None) -> None:
    """Run the plain loop in as many processes; with a folder, it keeps the pixels there."""
    paths = [str(path) for path in sorted((root / "imgs").glob("*.jpg"))]
    parts = [paths[start : start + 256] for start in range(0, len(paths), 256)]
    files = [str(folder / f"{place}.pixels") if folder else None for place in range(len(parts))]
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(plain, parts, files))


def command(root: Path, cache: Path) -> list[str]:
    """The user's command."""
    settings = [part for name, value in PARAMS.items() for part in ("--set", f"{name}={value}")]
    folders = ["--root", str(root), "--cache", str(cache)]
    return [sys.executable, "-m", "orchestrator", "prepare", DATASET, *folders, *settings, "--max-missing", "1"]


def call(root: Path, cache: Path, until_seconds: float = math.inf) -> Cost:
    """Call the command, and kill it once it and its workers have used so much processor time."""
    before = _used()
    running = subprocess.Popen(command(root, cache), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    user = used = 0.0
    while running.poll() is None and used < until_seconds:
        processes = family(running.pid)
        user = max(user, sum(map(user_seconds, processes)))
        used = max(used, sum(map(processor_seconds, processes)))
        time.sleep(0.01 if used else 0)
    if running.poll() is None:
        running.kill()
        running.wait()  # of processes that nobody waits for the system says nothing
        return Cost(user, used, time.perf_counter() - before.wall_seconds)
    return _since(before)


def compare_with_loops(root: Path, folder: Path, count: int) -> None:
    """Print what images cost, of both loops and of preparing."""
    pixels = folder / "pixels"
    pixels.mkdir()
    loop = cost_of(lambda: plain_loop(root))
    keeping = cost_of(lambda: plain_loop(root, pixels))
    shutil.rmtree(pixels)
    dataset = build_dataset(DATASET, PARAMS)
    dataset.root = root
    with PeakMemory() as memory:
        own = cost_of(
            lambda: prepare(dataset, compute_fingerprint(dataset), folder / "cache", BuildOptions(max_missing=1.0)),
        )
    forget(folder)
    for name, cost in {"plain loop": loop, "keeping pixels": keeping, "preparing": own}.items():
        each = 1000 * cost.processor_seconds / count
        print(f"  {name}: {count / cost.wall_seconds:.0f}/s, {each:.3f} ms of a processor each ({cost})")
    for name, cost in {"the plain loop": loop, "one that keeps the pixels": keeping}.items():
        print(f"  speed of preparing / {name}: {_shares(cost, own)}")
    print(f"  memory of all: {memory.anonymous_mib:.0f} MiB, {memory.proportional_mib:.0f} MiB with mapped files")


def _shares(one: Cost, another: Cost) -> str:
    user, processor, wall = (mine / other for mine, other in zip(one, another, strict=True))
    return f"{processor:.2f} by processor time, {user:.2f} by that outside the kernel, {wall:.2f} by wall time"


def undisturbed(root: Path, folder: Path) -> Cost:
    """Print what the command costs, and what it costs when it is called again; return the former."""
    whole = call(root, folder / "cache")
    again = call(root, folder / "cache")
    print(f"  the command: {whole}; called again: {again}", flush=True)
    forget(folder)
    return whole


def killed(root: Path, folder: Path, until_seconds: float) -> Cost:
    """Print and return what the command costs if it is killed on the way and called again."""
    first = call(root, folder / "cache", until_seconds)
    second = call(root, folder / "cache")
    print(f"  killed after {first}, then {second}", flush=True)
    forget(folder)
    return first + second


def forget(folder: Path) -> None:
    """Delete what was prepared and what is remembered of the index."""
    for name in ("cache", "indexes"):
        shutil.rmtree(folder / name)


def compare_with_killed(root: Path, folder: Path, repetitions: int) -> None:
    """Print what being killed and called again takes over what undisturbed calls before and after it do."""
    ratios, before = [], undisturbed(root, folder)
    for _ in range(repetitions):
        disturbed = killed(root, folder, before.processor_seconds / 2)
        after = undisturbed(root, folder)
        ratios.append([2 * one / another for one, another in zip(disturbed, before + after, strict=True)])
        before = after
    print(f"killed / undisturbed: {_shares(Cost(*np.mean(ratios, axis=0)), Cost(1, 1, 1))}")
    if repetitions > 1:
        half = stats.sem(ratios, axis=0) * stats.t.ppf(0.975, repetitions - 1)
        print(f"95 % interval, plus and minus: {_shares(Cost(*half), Cost(1, 1, 1))}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", choices=["loops", "killed"], help="by default both")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MMPT_CACHE"] = name
        make_tree(folder / "raw", asked.images)
        print(
            f"{asked.images} images of {WIDTH} x {HEIGHT} to {SIZE}, {PROCESSES} processes, {os.getloadavg()[0]} load"
        )
        for number in range(asked.repetitions if asked.only != "killed" else 0):
            print(f"repetition {number}")
            compare_with_loops(folder / "raw", folder, asked.images)
        if asked.only != "loops":
            compare_with_killed(folder / "raw", folder, asked.repetitions)


if __name__ == "__main__":
    main()
