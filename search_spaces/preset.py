"""A preset: a named grid with the settings that its tables and trials need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from search_spaces.grid import Grid

__all__ = ["Preset"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A sweep that can be run by name.

    Attributes:
        title: one line for `mmpt list presets`.
        about: what the sweep answers and what it costs.
        grid: the trials.
        resources: what a trial needs, `workers_per_trial` and each one's `cpus` and `gpus`; the command line can
            override it.
    """

    title: str
    about: str
    grid: Grid
    resources: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({"cpus": 1}))
