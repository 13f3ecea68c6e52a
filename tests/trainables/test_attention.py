"""Masks, attention and pooling of early fusion against golden numbers, in float64 to 1e-9."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from trainables.attention import MASKED, attend, block_mask, key_mask, mean_of_valid

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "mmpt_masks.json").read_text())
TOLERANCE = {"rtol": 1e-9, "atol": 1e-12}


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def plain(mask: Any) -> Tensor:
    """A golden mask, its minus infinities written as ours."""
    return torch.tensor([[MASKED if value == "-inf" else value for value in row] for row in mask])


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_masks_attention_and_pooling(case: dict[str, Any]) -> None:
    shared = case["shared_leading_tokens"]
    lengths = [shared, *case["segment_lengths"]] if shared else case["segment_lengths"]
    valid = torch.tensor([case["padding_mask_1_is_token"]], dtype=torch.bool)
    query, key, value = (tensor(case[name])[None, None] for name in "QKV")
    blocks, keys = block_mask(lengths), key_mask(valid)
    torch.testing.assert_close(blocks, plain(case["M_c"]), rtol=0, atol=0)
    torch.testing.assert_close(keys[0, 0].expand(len(blocks), -1), plain(case["M_i"]), rtol=0, atol=0)

    identity = torch.eye(len(blocks), dtype=torch.float64)[None, None]
    attention = attend(query, key, identity, keys + blocks)[0, 0]
    np.testing.assert_allclose(attention, case["attention_with_M_c"], **TOLERANCE)
    output = attend(query, key, value, keys + blocks)[0]
    np.testing.assert_allclose(output[0], case["output_with_M_c"], **TOLERANCE)
    np.testing.assert_allclose(attend(query, key, value, keys)[0, 0], case["output_without_M_c"], **TOLERANCE)

    start = shared
    for name, length in zip(case["average_pooled_over_valid_tokens"], case["segment_lengths"], strict=True):
        part = slice(start, start + length)
        pooled = mean_of_valid(output[:, part], valid[:, part])
        np.testing.assert_allclose(pooled[0], case["average_pooled_over_valid_tokens"][name], **TOLERANCE)
        alone = attend(query[..., part, :], key[..., part, :], value[..., part, :], key_mask(valid[:, part]))
        np.testing.assert_allclose(alone[0, 0], case["same_as_running_each_segment_alone"][name], **TOLERANCE)
        start += length


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_row_in_which_everything_is_masked_is_finite(dtype: torch.dtype) -> None:
    states = (100 * torch.randn(2, 1, 4, 8)).to(dtype).requires_grad_()
    valid = torch.tensor([[True, True, False, False], [False] * 4])
    hidden = attend(states, states, states, key_mask(valid) + block_mask([2, 2]))
    pooled = mean_of_valid(hidden[:, 0, 2:], valid[:, 2:])
    assert torch.equal(pooled, torch.zeros_like(pooled))
    (hidden.sum() + pooled.sum()).backward()
    assert torch.isfinite(hidden).all()
    assert states.grad is not None
    assert torch.isfinite(states.grad).all()


def test_what_is_masked_has_no_influence_at_all() -> None:
    states = torch.randn(1, 1, 4, 8)
    other = states.clone()
    other[..., 2:, :] = 1000 * torch.randn(2, 8)
    mask = key_mask(torch.tensor([[True, True, False, False]]))
    outputs = [attend(states[..., :2, :], each, each, mask) for each in (states, other)]
    assert torch.equal(*outputs)


def test_pooling_without_padding_is_the_mean() -> None:
    hidden = torch.randn(3, 5, 4)
    torch.testing.assert_close(mean_of_valid(hidden, None), mean_of_valid(hidden, torch.ones(3, 5, dtype=torch.bool)))
