"""Sending a sweep to a cluster once: its name is its content, and what came of that name before says what to do."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from search_spaces.spec import TrialSpec, content_hash

__all__ = ["Attempt", "State", "latest_attempt", "submission_name"]

State = Literal["waiting", "running", "succeeded", "failed", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One sending of a sweep.

    Attributes:
        name: the submission id.
        state: what came of it.
        exit_code: of the sweep; None while it goes on, or if it died without one.
    """

    name: str
    state: State
    exit_code: int | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("waiting", "running")

    @property
    def next_name(self) -> str:
        """The submission id of the attempt after this one."""
        first, number = _split(self.name)
        return f"{first}-{number + 1}"


def submission_name(sweep: str, specs: Iterable[TrialSpec], store: str) -> str:
    """Return what a sweep is called on every cluster: equal sweeps into one store have equal names.

    Args:
        sweep: the sweep's own name.
        specs: its trials, in any order.
        store: absolute root of the store.
    """
    trials = sorted(content_hash(spec.to_config()) for spec in specs)
    return f"mmpt-{sweep}-{content_hash({'sweep': sweep, 'store': store, 'trials': trials})}"


def latest_attempt(name: str, attempts: Mapping[str, Attempt]) -> Attempt | None:
    """Return the last of the attempts that were made under a name, or None.

    Args:
        name: of the first attempt.
        attempts: all that the cluster knows, by submission id.
    """
    ours = [one for one in attempts.values() if _split(one.name)[0] == name]
    return max(ours, key=lambda one: _split(one.name)[1], default=None)


def _split(name: str) -> tuple[str, int]:
    """Return the first attempt's name and the number of this one.

    >>> _split("mmpt-smoke-0123456789abcdef"), _split("mmpt-smoke-0123456789abcdef-3")
    (('mmpt-smoke-0123456789abcdef', 1), ('mmpt-smoke-0123456789abcdef', 3))
    """
    found = re.fullmatch(r"(mmpt-.*-[0-9a-f]{16})(?:-(\d+))?", name)
    return (found[1], int(found[2] or 1)) if found else (name, 1)
