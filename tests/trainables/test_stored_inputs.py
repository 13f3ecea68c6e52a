"""From the cache to an encoder's input: memory that is used again gives the same numbers, and only where it may."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from trainables.api_data import DataInfo, InputInfo, Storage
from trainables.data import SplitData, load_split
from trainables.devices import set_up_compute
from trainables.prepared import Prepared
from trainables.stored_inputs import Scratch, as_input

CPU = torch.device("cpu")
IMAGE = InputInfo(
    kind="image",
    shape=(3, 4, 4),
    storage=Storage(dtype="uint8", shape=(3, 4, 4), scale=(0.1, 0.2, 0.3), shift=(-1.0, 0.0, 1.0)),
)
GREY = replace(IMAGE, storage=Storage(dtype="uint8", shape=(1, 4, 4), scale=(0.1, 0.2, 0.3), shift=(-1.0, 0.0, 1.0)))
SOUND = InputInfo(
    kind="audio",
    shape=(2, 6),
    storage=Storage(dtype="float16", shape=(2, 4), scale=(0.5,), shift=(0.25,), padding=-3.0),
)


def _stored(info: InputInfo, rows: int) -> Tensor:
    values = np.random.default_rng(rows).integers(0, 256, (rows, *info.stored.shape)).astype(info.stored.dtype)
    return torch.from_numpy(values)


@pytest.mark.parametrize("info", [IMAGE, GREY, SOUND], ids=["image", "grey", "sound"])
def test_memory_that_is_used_again_holds_the_same_numbers(info: InputInfo) -> None:
    scratch = Scratch()
    for rows in (5, 3, 7):
        stored = _stored(info, rows)
        fresh = as_input(stored, info)
        again = as_input(stored, info, scratch.take("x", (rows, *info.shape), torch.float32, CPU))
        assert fresh.shape == (rows, *info.shape)
        assert torch.equal(fresh, again)
    assert scratch.take("x", (2, 3), torch.float32, CPU).data_ptr() == again.data_ptr()
    assert scratch.take("y", (2, 3), torch.float32, CPU).data_ptr() != again.data_ptr()


def test_large_samples_become_the_same_numbers_as_small_ones() -> None:
    def photographs(side: int) -> InputInfo:
        return replace(IMAGE, shape=(3, side, side), storage=replace(IMAGE.stored, shape=(3, side, side)))

    large, small = photographs(96), photographs(32)
    stored = _stored(large, 4)
    whole, corner = as_input(stored, large), as_input(stored[..., :32, :32], small)
    assert torch.equal(whole[..., :32, :32], corner)
    scale, shift = (torch.tensor(values).reshape(3, 1, 1) for values in (IMAGE.stored.scale, IMAGE.stored.shift))
    assert torch.equal(whole, stored.float() * scale + shift)


def test_what_is_stored_is_scaled_shifted_and_padded() -> None:
    stored = _stored(SOUND, 2)
    values = as_input(stored, SOUND)
    assert torch.equal(values[..., :4], stored.float() * 0.5 + 0.25)
    assert (values[..., 4:] == -3.0).all()
    grey = _stored(GREY, 2)
    colours = as_input(grey, GREY)
    for channel, (scale, shift) in enumerate(zip((0.1, 0.2, 0.3), (-1.0, 0.0, 1.0), strict=True)):
        torch.testing.assert_close(colours[:, channel], grey[:, 0].float() * scale + shift)


def _split() -> SplitData:
    info = DataInfo(dataset="toy", inputs={"image": IMAGE}, class_names=("a", "b"))
    count = 6
    prepared = Prepared(
        fingerprint="0",
        info=info,
        sample_ids=np.array([str(number) for number in range(count)]),
        splits=np.array(["train"] * count),
        groups=np.array([""] * count),
        targets=np.zeros(count, np.int64),
        inputs={"image": _stored(IMAGE, count).numpy()},
        present={"image": np.array([True] * 5 + [False])},
    )
    return load_split(prepared, "train", ("image",), set_up_compute(1, 0))


def test_a_batch_owns_its_memory_unless_it_is_given_some() -> None:
    train, scratch = _split(), Scratch()
    first, second = (train.batch(np.arange(start, start + 3)).inputs["image"] for start in (0, 3))
    assert first.data_ptr() != second.data_ptr()
    held = train.batch(np.arange(3), scratch=scratch).inputs["image"]
    assert torch.equal(held, first)
    assert torch.equal(train.batch(np.arange(3, 6), scratch=scratch).inputs["image"], second)
    assert second.shape == (2, 3, 4, 4)  # the last sample has no image
    assert torch.equal(held[:2], second)  # the first batch is gone


@pytest.mark.parametrize("block_bytes", [0, 2 * 2 * IMAGE.stored.bytes_per_sample, 2**20])
def test_batches_that_are_taken_at_once_are_the_same(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainables.data._BLOCK_BYTES", block_bytes)
    train, rows = _split(), np.array([5, 2, 0, 4, 1])
    parts = [rows[start : start + 2] for start in (0, 2, 4)]
    for pattern, shown in ((None, 1), (("image",), 1), ((), 0)):
        found = train.batches_of(rows, 2, pattern, Scratch())
        for part, batch in zip(parts, found, strict=True):
            alone = train.batch(part, pattern)
            assert batch.inputs.keys() == alone.inputs.keys()
            assert len(batch.inputs) == shown
            assert all(torch.equal(batch.inputs[name], alone.inputs[name]) for name in alone.inputs)
            assert np.array_equal(batch.available, alone.available)
            assert torch.equal(batch.targets, alone.targets)


def test_inputs_stay_mapped_and_small_until_a_batch_is_taken() -> None:
    train = _split()
    assert train.inputs["image"].dtype == torch.uint8
    assert train.batch(np.arange(2)).inputs["image"].dtype == torch.float32
