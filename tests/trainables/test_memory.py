"""GPU memory without a GPU: the cap of a share, room for data, and the probe with a made-up reading."""

from pathlib import Path

import pytest
import torch
import toys

from trainables.devices import Compute, set_up_compute
from trainables.memory_probe import MemoryUse, measure_memory
from trainables.resolve import resolve
from trainables.task import TrialTask


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """A GPU of 1000 bytes, 900 of them free, 100 of those taken by this process; lists the caps it was given."""
    caps: list[tuple[float, str]] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (900, 1000))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 100)
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda share, device: caps.append((share, str(device)))
    )
    return caps


def test_a_share_is_a_cap_and_a_warm_worker_gets_all_of_it_back(card: list[tuple[float, str]]) -> None:
    quarter, whole = set_up_compute(1, 0.25), set_up_compute(1, 1)
    assert card == [(0.25, "cuda:0"), (1.0, "cuda:0")]
    assert quarter.free_bytes() == 150, "a quarter of the card, less what it has"
    assert whole.free_bytes() == 900, "no more than is free"


def test_a_trial_on_the_cpu_has_no_cap() -> None:
    assert set_up_compute(1, 0) == Compute(torch.device("cpu"), bfloat16=False)


@pytest.mark.parametrize("method", ["naive", "mtl", "student"])
def test_the_probe_takes_real_steps_and_writes_nothing(method: str, tmp_path: Path, cache: Path) -> None:
    resolved = resolve(toys.spec(method, seed=5))
    task = TrialTask(
        trial_id=resolved.trial_id,
        spec=resolved.spec.to_config(),
        store=str(tmp_path / "store"),
        cache=str(cache),
        requires=dict.fromkeys(resolved.requirements(), "not trained yet"),
    )
    assert measure_memory(task, lambda device: MemoryUse(len(device.type), 7)) == (3, 7)
    assert not (tmp_path / "store").exists()
