"""The optimiser and the learning rate's course, the same for every method."""

import torch
from torch import nn

from search_spaces.spec import TrialSpec

__all__ = ["learning_rate_factor", "make_optimizer"]


def make_optimizer(model: nn.Module, spec: TrialSpec) -> torch.optim.AdamW:
    """Return AdamW over all trainable parameters; fused where the device has the kernel."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(
        parameters,
        lr=spec.learning_rate,
        weight_decay=spec.weight_decay,
        fused=True,
    )


def learning_rate_factor(spec: TrialSpec, step: int, num_steps: int) -> float:
    """Return what multiplies the peak learning rate in step 0, 1, ..., `num_steps` - 1.

    It rises linearly over the first `spec.warmup` of all steps, then stays (`constant`) or falls linearly to zero.
    """
    num_warmup = round(spec.warmup * num_steps)
    if step < num_warmup:
        return (step + 1) / num_warmup
    if spec.schedule == "constant":
        return 1.0
    return (num_steps - step) / max(1, num_steps - num_warmup)
