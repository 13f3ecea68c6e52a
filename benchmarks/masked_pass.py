"""Reading out each modality alone: one pass over all tokens with M_c against one pass per modality.

Both give the same features (tests/trainables/test_backbones.py). Forward and backward, on one core, median of the
repetitions; once on complete samples, once where every sample lacks each modality with probability 0.5, but not all.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from trainables.api import Batch, InputInfo
from trainables.encoder_names import build_backbone
from trainables.fusion.early import Early

DIGITS = {"audio": InputInfo(kind="audio", shape=(32, 39)), "image": InputInfo(kind="image", shape=(1, 8, 8))}
CLIPS = {"audio": InputInfo(kind="audio", shape=(128, 256)), "image": InputInfo(kind="image", shape=(3, 128, 128))}
POSTS = {
    "image": InputInfo(kind="image", shape=(3, 128, 128)),
    "text": InputInfo(kind="text", shape=(40,), vocabulary_size=1000),
}
TRIPLE = {**CLIPS, "text": POSTS["text"]}
LONG_CLIPS = {"audio": InputInfo(kind="audio", shape=(128, 1024)), "image": CLIPS["image"]}
CASES = [
    ("tokens_tiny", DIGITS, 64),
    ("tokens_tiny", CLIPS, 64),
    ("tokens_tiny", TRIPLE, 64),
    ("tokens_tiny", LONG_CLIPS, 32),
    ("tvlt_tiny", CLIPS, 32),
    ("vilt_tiny", POSTS, 32),
]


def _batch(infos: Mapping[str, InputInfo], size: int, missing: float) -> Batch:
    draws = torch.Generator().manual_seed(0)
    available = np.random.default_rng(0).random((size, len(infos))) >= missing
    available[~available.any(axis=1), 0] = True
    inputs = {
        name: torch.randint(1, 1000, (has.sum(), *info.shape), generator=draws)
        if info.kind == "text"
        else torch.randn(has.sum(), *info.shape, generator=draws)
        for (name, info), has in zip(sorted(infos.items()), available.T, strict=True)
    }
    return Batch(
        inputs=inputs,
        available=available,
        modalities=tuple(sorted(infos)),
        targets=torch.zeros(size, dtype=torch.long),
    )


def _milliseconds(encode: Callable[[], Mapping[str, Tensor]], repetitions: int) -> float:
    taken = []
    for _ in range(repetitions + 1):
        began = time.process_time()
        torch.cat(list(encode().values()), dim=1).square().sum().backward()  # type: ignore[no-untyped-call]
        taken.append(time.process_time() - began)
    return 1000 * statistics.median(taken[1:])


def main() -> None:
    """Measure and print a line per backbone and input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    torch.set_num_threads(1)
    measured = []
    for (name, infos, size), missing in product(CASES, (0.0, 0.5)):
        fusion, batch = Early(build_backbone(name, infos), tuple(sorted(infos)), 10), _batch(infos, size, missing)
        lengths = [fusion.backbone.embed(modality, batch.inputs[modality])[0].shape[1] for modality in sorted(infos)]
        masked = _milliseconds(partial(fusion.masked, batch), options.repetitions)
        alone = _milliseconds(partial(fusion.alone, {}, batch), options.repetitions)
        row = {"backbone": name, "tokens": lengths, "missing": missing, "masked_ms": masked, "alone_ms": alone}
        measured.append({**row, "ratio": masked / alone})
        if not options.json:
            what = f"{name:12} {'+'.join(map(str, lengths)):9} tokens, {missing:.0%} missing"
            print(f"{what:44} {masked:6.1f} / {alone:6.1f} ms = {masked / alone:.2f}")
    if options.json:
        print(json.dumps(measured))


if __name__ == "__main__":
    main()
