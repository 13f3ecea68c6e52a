"""The optimiser and the learning rate's course, the same for every method."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from search_spaces.spec import TrialSpec
from trainables.api import Method

__all__ = ["learning_rate_factor", "make_optimizer", "set_learning_rate"]


def make_optimizer(method: Method, spec: TrialSpec) -> torch.optim.AdamW:
    """Return AdamW over all trainable parameters; fused where the device has the kernel.

    Parameters whose steps the method paces are groups of their own, named `owner`; how parameters are grouped changes
    no number.
    """
    paced = method.paced_parameters()
    own = {parameter for parameters in paced.values() for parameter in parameters}
    rest = [parameter for parameter in method.parameters() if parameter.requires_grad and parameter not in own]
    groups: list[dict[str, Any]] = [
        {"params": rest},
        *({"params": list(items), "owner": name} for name, items in paced.items()),
    ]
    return torch.optim.AdamW(groups, lr=spec.learning_rate, weight_decay=spec.weight_decay, fused=True)


def set_learning_rate(
    optimizer: torch.optim.Optimizer, spec: TrialSpec, rate: float, paces: Mapping[str, Tensor]
) -> None:
    """Set the next step's learning rate, times an owner's pace where it has one.

    A pace stays on the device, so that nobody waits for it. It slows what the gradient does and not the weight decay,
    which AdamW keeps apart from the gradient; a paced group is therefore decayed here.
    """
    for group in optimizer.param_groups:
        pace = paces.get(group["owner"]) if "owner" in group else None
        group["lr"] = rate if pace is None else rate * pace
        group["weight_decay"] = spec.weight_decay if pace is None else 0.0
        if pace is not None and spec.weight_decay > 0:
            stepping = [parameter for parameter in group["params"] if parameter.grad is not None]
            with torch.no_grad():
                torch._foreach_mul_(stepping, 1 - rate * spec.weight_decay)


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
