"""How long a training waits for its data: on `av_digits`, and on 20,000 pictures of 224 x 224 with texts.

The figure is that of a trial's history, seconds/waiting_for_data over seconds/epochs. The set of pictures is made of
noise, mapped from a file of 3 GB like any prepared data, and seen by the encoders with the names given, of which the
tiny ones are the hardest case: their steps are the shortest.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from search_spaces.spec import TrialSpec
from trainables.api import DataInfo, InputInfo
from trainables.api_data import Storage
from trainables.build import build_method, load_splits, open_prepared
from trainables.data import SplitData
from trainables.devices import Compute, set_up_compute
from trainables.loop import TrainingLoop
from trainables.prepared import Prepared
from trainables.preparing.image_reader import ImageParams, ImageReader
from trainables.resolve import Resolved, resolve

LIKE = "glyph_names"
"""A data set with the same two modalities, whose trial is given the pictures."""
CLASSES, TOKENS, VOCABULARY = 24, 64, 30_000


def make_pairs(folder: Path, count: int) -> Prepared:
    """Write pictures of noise and texts of random lengths; 80 % of them are for training."""
    text = InputInfo(
        kind="text",
        shape=(TOKENS,),
        vocabulary_size=VOCABULARY,
        storage=Storage(dtype="int32", shape=(TOKENS,)),
    )
    inputs = {"image": ImageReader(ImageParams()).info(), "text": text}
    generator = np.random.default_rng(0)
    pixels = np.memmap(folder / "pixels", np.uint8, "w+", shape=(count, *inputs["image"].shape))
    for start in range(0, count, 500):
        part = pixels[start : start + 500]
        part[:] = generator.integers(0, 256, part.shape, np.uint8)
    pixels.flush()
    texts = generator.integers(2, VOCABULARY, (count, TOKENS), np.int32)
    texts[np.arange(TOKENS) >= generator.integers(5, TOKENS + 1, (count, 1))] = 0
    return Prepared(
        fingerprint="benchmark",
        info=DataInfo(dataset=LIKE, inputs=inputs, class_names=[str(number) for number in range(CLASSES)]),
        sample_ids=np.array([str(number) for number in range(count)]),
        splits=np.repeat(["train", "val", "test"], [count * 8 // 10, count // 10, count - count * 9 // 10]),
        groups=np.array([""] * count),
        targets=generator.integers(0, CLASSES, count),
        inputs={"image": np.memmap(folder / "pixels", np.uint8, "r", shape=pixels.shape), "text": texts},
        present={name: np.ones(count, np.bool_) for name in inputs},
    )


def measure(resolved: Resolved, splits: dict[str, SplitData], compute: Compute, steps: int) -> str:
    """Train so many steps of each epoch and say how long they waited."""
    method = build_method(resolved, compute)
    loop = TrainingLoop(method, splits["train"], splits["val"], resolved.reports[0], compute)
    training = loop.training
    most = steps * resolved.spec.batch_size
    if len(training.rows) > most:
        training.rows = np.sort(np.random.default_rng(0).permutation(training.rows)[:most])
    # On the CPU by processor time, which other work on the machine hardly changes.
    clock = time.process_time if compute.device.type == "cpu" else time.perf_counter
    with patch("trainables.training.time.perf_counter", clock):
        for epoch in range(1, resolved.spec.epochs + 1):
            method.begin_epoch(epoch)
            training.train_epoch(epoch)
    facts = loop.facts()
    waited, whole = facts["seconds/waiting_for_data"], facts["seconds/epochs"]
    count = resolved.spec.epochs * -(-len(training.rows) // resolved.spec.batch_size)
    return f"waits {waited / count * 1000:.2f} ms of {whole / count * 1000:.1f} ms per step: {waited / whole:.2%}"


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=100, help="per epoch, of the 250 that the pictures give")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gpus", type=float, default=0)
    parser.add_argument("--image", default="vit_tiny", help="encoder")
    parser.add_argument("--text", default="bert_tiny", help="encoder")
    asked = parser.parse_args()
    compute = set_up_compute(asked.threads, asked.gpus)
    with tempfile.TemporaryDirectory() as name:
        digits = resolve(TrialSpec(dataset="av_digits", method="naive", epochs=asked.epochs))
        splits = load_splits(open_prepared(digits, name), digits, compute)
        print(f"av_digits: {measure(digits, splits, compute, asked.steps)}", flush=True)
        pairs = make_pairs(Path(name), asked.samples)
        encoders = {"image": asked.image, "text": asked.text}
        like = resolve(TrialSpec(dataset=LIKE, method="naive", epochs=asked.epochs, encoders=encoders))
        splits = load_splits(pairs, like, compute)
        found = measure(replace(like, info=pairs.info), splits, compute, asked.steps)
        print(f"{asked.samples} pictures with texts, {asked.image} and {asked.text}: {found}")
    print(f"{torch.get_num_threads()} threads, {compute.device}")


if __name__ == "__main__":
    main()
