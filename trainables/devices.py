"""Where and how precisely a trial computes: device, threads and autocast follow from its resources."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from search_spaces.errors import MmptError
from trainables.workers import ALONE, Workers

__all__ = ["Compute", "seed_everything", "set_up_compute"]

_STREAMS = 2**31


@dataclass(frozen=True)
class Compute:
    """A trial's device, its precision, its share of the device's memory, and its workers."""

    device: torch.device
    bfloat16: bool
    gpu_share: float = 1.0
    workers: Workers = ALONE

    def autocast(self) -> AbstractContextManager[object]:
        """Return bfloat16 autocast where the device supports it, else nothing."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.bfloat16 else nullcontext()

    def free_bytes(self) -> int:
        """Return how much more of a GPU's memory this trial may take."""
        free, total = torch.cuda.mem_get_info(self.device)
        return min(free, int(self.gpu_share * total) - torch.cuda.memory_allocated(self.device))

    def memory(self) -> dict[str, int]:
        """Return the most device memory this trial held; empty on the CPU, whose memory warm workers share."""
        return {"memory/peak_bytes": torch.cuda.max_memory_allocated(self.device)} if self.device.type == "cuda" else {}


def set_up_compute(cpus: float, gpus: float, workers: Workers = ALONE) -> Compute:
    """Bind this process to a trial's resources: threads to its CPU share, tensors to its GPU if it has one.

    Trials that share a GPU each get that part of its memory and no more: one that needs more fails by itself instead of
    making its neighbours fail.

    Raises:
        MmptError: the trial was given a GPU but CUDA has none.
    """
    torch.set_num_threads(max(1, int(cpus)))
    if gpus <= 0:
        return Compute(torch.device("cpu"), bfloat16=False, workers=workers)
    if not torch.cuda.is_available():
        raise MmptError(f"the trial was given {gpus:g} GPUs but CUDA sees none; set gpus to 0 or check the driver")
    device = torch.device("cuda", torch.cuda.current_device())
    share = min(gpus, 1.0)
    torch.cuda.set_per_process_memory_fraction(share, device)  # also back to all of it, in a worker that had less
    torch.cuda.reset_peak_memory_stats(device)
    bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return Compute(device, bfloat16=bfloat16, gpu_share=share, workers=workers)


def seed_everything(*key: int) -> None:
    """Seed torch from a key such as (seed, stage, epoch), so that no state has to be saved to resume."""
    value = 0
    for part in key:
        value = (value * 1_000_003 + part + 1) % _STREAMS
    torch.manual_seed(value)
