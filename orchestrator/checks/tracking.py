"""MLflow answers the process that starts the sweep, the only one that writes there."""

from collections.abc import Iterator

from orchestrator.check import Finding, Question, ok, problem
from orchestrator.nodes import Nodes
from orchestrator.tracking_check import check_tracking
from orchestrator.tracking_uri import DISABLED, redact
from search_spaces.errors import MmptError

__all__ = ["check"]

_CURE = "start or correct it; or go on without it, `mmpt track` can write everything later"


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Ask for one experiment, with the credentials that MLflow's client would send."""
    if question.tracking == DISABLED:
        yield ok("switched off")
        return
    try:
        trouble = check_tracking(question.tracking)
    except MmptError as error:
        yield problem(str(error), "correct --tracking-uri", nodes.here)
        return
    if trouble is None:
        yield ok(f"{redact(question.tracking)} can be used", nodes.here)
    else:
        yield problem(trouble.partition(";")[0], _CURE, nodes.here)
