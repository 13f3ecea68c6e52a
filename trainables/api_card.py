"""What is said about a method where people read about it."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["TASK_TYPES", "MethodCard", "TaskType", "task_type"]

TaskType = Literal["single-label", "multi-label"]
TASK_TYPES: tuple[TaskType, ...] = ("single-label", "multi-label")


def task_type(*, multi_label: bool) -> TaskType:
    """Return the word for how many labels a sample has."""
    return TASK_TYPES[multi_label]


@dataclass(frozen=True, kw_only=True)
class MethodCard:
    """What `mmpt show` prints about a method, and its name in tables.

    Attributes:
        title: its name in tables.
        paper: where it comes from.
        idea: one sentence.
        cost: compute of a profile in late and in early fusion, naive = 1, with M modalities; estimated from passes.
        missing_in_training: what an incomplete training sample does, if `needs_complete` does not say it.
        missing_at_test: what is served where modalities are missing, by the probe and by the head route.
    """

    title: str
    paper: str
    idea: str
    cost: tuple[str, str] = ("unknown", "unknown")
    missing_in_training: str = ""
    missing_at_test: str = "probe of what is available; joint head with zero features"
