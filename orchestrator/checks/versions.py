"""Code, Python and packages are the same on every node."""

from collections.abc import Iterator

from orchestrator.check import Finding, Question, ok, problem
from orchestrator.nodes import Nodes
from trainables.code_version import differences, running_versions

__all__ = ["check"]

_CURE = "install the same code and packages there, with the same Python, as on the node that starts the sweep"


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Compare every node with this process."""
    del question
    expected = running_versions()
    for node, found in nodes.ask_all(running_versions).items():
        if different := differences(expected, found):
            yield problem("; ".join(different), _CURE, node)
        else:
            shown = ", ".join(f"{name} {expected[name]}" for name in ("mmpt code", "python", "torch", "ray"))
            yield ok(shown, node)
