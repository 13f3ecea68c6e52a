"""Every node can get the published weights that the trials' encoders start from."""

from collections.abc import Iterator

from orchestrator.check import Finding, Question, ok, problem
from orchestrator.nodes import Nodes
from search_spaces.errors import MmptError
from trainables.checkpoint_files import find_checkpoint
from trainables.encoder_names import checkpoint_of

__all__ = ["check"]

_CURE = "download it there (`hf download`), let the node reach the hub, or put the folder on a shared disk"


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Look for each checkpoint once."""
    names = sorted({name for task in question.tasks for name in task["spec"]["encoders"].values()})
    for source in filter(None, map(checkpoint_of, names)):
        for node, (where, why) in nodes.ask_all(_find, source).items():
            yield problem(why, _CURE, node) if why else ok(f"{source}: {where}", node)


def _find(source: str) -> tuple[str, str]:
    """Return where this machine gets the checkpoint from, or else why it does not."""
    try:
        return find_checkpoint(source), ""
    except MmptError as error:
        return "", str(error)
