"""Every node's clock shows the same time."""

import time
from collections.abc import Iterator

from orchestrator.check import Finding, Question, ok, problem, warning
from orchestrator.nodes import Nodes

__all__ = ["check"]

_ASKED = 5  # times; the quickest answer tells best
_WARNING_SECONDS, _PROBLEM_SECONDS = 1.0, 30.0
_CURE = "synchronise its clock, for instance with chrony or systemd-timesyncd"


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Compare every node's clock with this process's, the time that the question takes left out."""
    del question
    for node in nodes.names:
        answers = [answer for _ in range(_ASKED) if (answer := _offset(nodes, node)) is not None]
        if answers:
            uncertainty, offset = min(answers)
            yield _judged(offset, uncertainty, node)


def _offset(nodes: Nodes, node: str) -> tuple[float, float] | None:
    """Return (half of the round trip, seconds by which the node is ahead)."""
    sent = time.time()
    shown = nodes.ask(node, time.time)
    received = time.time()
    return None if shown is None else ((received - sent) / 2, shown - (sent + received) / 2)


def _judged(offset: float, uncertainty: float, node: str) -> Finding:
    certain = max(0.0, abs(offset) - uncertainty)
    what = f"its clock is {abs(offset):.3f} s {'ahead of' if offset > 0 else 'behind'} the driver's"
    if certain > _PROBLEM_SECONDS:
        return problem(what, _CURE, node)
    return warning(what, _CURE, node) if certain > _WARNING_SECONDS else ok(f"{what} (± {uncertainty:.3f} s)", node)
