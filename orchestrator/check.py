"""What checks are made of: the question they answer, the nodes they ask, and the findings they report."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.nodes import Nodes

__all__ = ["Check", "Finding", "Level", "Question", "ok", "problem", "warning"]

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes:
        level: `problem` if a sweep would fail or waste what it computes, `warning` if it may.
        what: what is so, in one line.
        cure: what to do about it; "" if all is well.
        node: where; "" if it concerns no node in particular.
        check: which check found it.
    """

    level: Level
    what: str
    cure: str = ""
    node: str = ""
    check: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a sweep is going to need. Plain data, which travels to the nodes.

    Attributes:
        store: absolute path or bucket URL.
        cache: absolute folder of prepared data.
        tracking: tracking URI, or "none".
        address: where the cluster is, as the user gave it; None for this machine.
        resources: of one trial; empty if no trials are named.
        tasks: `TrialTask` configs, one for each combination of data and encoders that the trials have.
        datasets: the user's own classes by key.
    """

    store: str
    cache: str
    tracking: str = "none"
    address: str | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[Mapping[str, Any], ...] = ()
    datasets: Mapping[str, type] = field(default_factory=dict)


Check = Callable[[Nodes, Question], Iterator[Finding]]
"""Looks at one thing on every node; nodes that give no answer are reported by the caller."""


def ok(what: str, node: str = "") -> Finding:
    """Return a finding that all is well."""
    return Finding(level="ok", what=what, node=node)


def warning(what: str, cure: str, node: str = "") -> Finding:
    """Return a finding that may matter."""
    return Finding(level="warning", what=what, cure=cure, node=node)


def problem(what: str, cure: str, node: str = "") -> Finding:
    """Return a finding that has to be cured first."""
    return Finding(level="problem", what=what, cure=cure, node=node)
