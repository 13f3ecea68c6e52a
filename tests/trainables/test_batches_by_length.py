"""Texts of like length are evaluated together, and what comes out stands in the order of the samples."""

import numpy as np
import torch

from trainables.api_data import DataInfo, InputInfo, Storage
from trainables.data import SplitData, load_split
from trainables.devices import set_up_compute
from trainables.prepared import Prepared

COUNT, TOKENS, SIZE = 60, 32, 8
INPUTS = {
    "text": InputInfo(
        kind="text", shape=(TOKENS,), vocabulary_size=99, storage=Storage(dtype="int32", shape=(TOKENS,))
    ),
    "vector": InputInfo(kind="vector", shape=(1,)),
}


def _split(used: tuple[str, ...]) -> tuple[SplitData, np.ndarray]:
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, TOKENS + 1, COUNT)
    texts = generator.integers(1, 99, (COUNT, TOKENS), np.int32)
    texts[np.arange(TOKENS) >= lengths[:, None]] = 0
    prepared = Prepared(
        fingerprint="0",
        info=DataInfo(dataset="toy", inputs=INPUTS, class_names=("a", "b")),
        sample_ids=np.array([str(number) for number in range(COUNT)]),
        splits=np.array(["val"] * COUNT),
        groups=np.array([""] * COUNT),
        targets=np.arange(COUNT) % 2,
        inputs={"text": texts, "vector": np.arange(COUNT, dtype=np.float32)[:, None]},
        present={name: np.ones(COUNT, np.bool_) for name in INPUTS},
    )
    return load_split(prepared, "val", used, set_up_compute(1, 0)), lengths


def test_a_batch_is_as_wide_as_its_longest_text_and_few_tokens_are_padding() -> None:
    split, lengths = _split(("text", "vector"))
    shapes = [batch.inputs["text"].shape for batch in split.batches(SIZE)]
    in_order = np.sort(lengths)
    assert [width for _, width in shapes] == [in_order[start : start + SIZE].max() for start in range(0, COUNT, SIZE)]
    as_stored = sum(len(part) * part.max() for part in np.split(lengths, range(SIZE, COUNT, SIZE)))
    assert sum(rows * width for rows, width in shapes) < 0.7 * as_stored


def test_results_come_back_in_the_order_of_the_samples() -> None:
    for used in (("text", "vector"), ("vector",)):
        split, _ = _split(used)
        batches = list(split.batches(SIZE))
        joined = torch.cat([batch.inputs["vector"] for batch in batches])
        assert torch.equal(split.in_stored_order(joined), split.inputs["vector"])
        targets = torch.cat([batch.targets for batch in batches])
        assert torch.equal(split.in_stored_order(targets), split.targets)


def test_samples_without_text_stay_in_stored_order() -> None:
    split, _ = _split(("vector",))
    assert torch.equal(torch.cat([batch.inputs["vector"] for batch in split.batches(SIZE)]), split.inputs["vector"])
