"""Ray Jobs can be used at the address, if that is a dashboard's: it is there, has our version, takes our token."""

from collections.abc import Iterator
from importlib.metadata import version

from orchestrator.check import Finding, Question, ok, problem, warning
from orchestrator.jobs_address import JobsError, is_jobs_address, jobs_version
from orchestrator.nodes import Nodes

__all__ = ["check"]


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Ask for the version, which needs the token where the cluster has one."""
    if question.address is None or not is_jobs_address(question.address):
        return
    try:
        theirs = jobs_version(question.address)
    except JobsError as error:
        yield problem(error.what, error.cure, nodes.here)
        return
    ours = version("ray")
    if theirs != ours:
        yield problem(f"{question.address} runs ray {theirs}, this machine {ours}", "install the same ray", nodes.here)
    else:
        yield ok(f"{question.address} answers and lets us in", nodes.here)
    cure = f"ray job submit --address {question.address} -- mmpt doctor --address auto ..."
    yield warning("from outside, the cluster's nodes cannot be asked: only this machine was", cure, nodes.here)
