"""Runs the checks: all of them for `mmpt doctor`, the indispensable ones before a sweep on a cluster starts."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from orchestrator.address import check_address
from orchestrator.check import Finding, Question, problem
from orchestrator.checks import CHECKS
from orchestrator.jobs_address import is_jobs_address
from orchestrator.nodes import Nodes, ThisMachine
from search_spaces.errors import MmptError

__all__ = ["INDISPENSABLE", "examine", "findings_of", "refuse_problems"]

INDISPENSABLE = ("versions", "store")
"""Checks without which nodes would compute other numbers, or write them where nobody finds them."""


def examine(question: Question) -> list[Finding]:
    """Run every check on every node of the cluster at the question's address, or on this machine if there is none.

    A cluster that cannot be joined is a finding, too; the checks then look at this machine.
    """
    try:
        with _nodes(question) as nodes:
            return list(findings_of(CHECKS.names(), nodes, question))
    except _NotJoinedError as error:
        cure = "start it, correct --address, or leave --address out to look at this machine alone"
        joining = replace(problem(str(error), cure), check="cluster")
        return [joining, *findings_of(CHECKS.names(), ThisMachine(), question)]


def findings_of(checks: Iterable[str], nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Run some checks by name; a node that gives a check no answer is a problem."""
    for name in checks:
        for finding in CHECKS.get(name)(nodes, question):
            yield replace(finding, check=name)
        for node, why in nodes.unanswered.items():
            cure = "install the same code and packages there" if "Error" in why else "look into this node's Ray logs"
            yield Finding(level="problem", what=f"cannot be checked: {why}", cure=cure, node=node, check=name)
        nodes.unanswered.clear()


def refuse_problems(nodes: Nodes, question: Question) -> None:
    """Run the indispensable checks.

    Raises:
        MmptError: a node has other code, Python or packages, or another store; the message names it.
    """
    found = [one for one in findings_of(INDISPENSABLE, nodes, question) if one.level == "problem"]
    if found:
        lines = [f"node {one.node}: {one.what}" for one in found]
        cures = dict.fromkeys(one.cure for one in found)
        raise MmptError(
            "\n  ".join(["this cluster cannot run the sweep:", *lines, *(f"cure: {cure}" for cure in cures)])
        )


class _NotJoinedError(MmptError):
    """The cluster is not there or does not let us in."""


@contextmanager
def _nodes(question: Question) -> Iterator[Nodes]:
    address = question.address
    if address is None or is_jobs_address(address):
        yield ThisMachine()
        return
    from orchestrator.cluster import join, leave  # noqa: PLC0415 (looking at one machine works without ray)
    from orchestrator.ray_nodes import asked_nodes  # noqa: PLC0415
    from orchestrator.shipping import ship_by_value  # noqa: PLC0415

    ship_by_value({"datasets": question.datasets})
    try:
        check_address(address)
        join(address)
    except MmptError as error:
        raise _NotJoinedError(str(error)) from error
    try:
        with asked_nodes() as nodes:
            yield nodes
    finally:
        leave()
