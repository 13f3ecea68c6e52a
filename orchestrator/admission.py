"""Whether a cluster that is joined may run a sweep, found out before anything is prepared or started."""

from orchestrator.capacity import capacity_for, rooms
from orchestrator.check import Question
from orchestrator.cluster import joined_cluster
from orchestrator.doctor import refuse_problems
from orchestrator.ray_nodes import asked_nodes

__all__ = ["admit"]


def admit(address: str, question: Question) -> None:
    """Join the cluster, look at its nodes, leave it.

    Raises:
        MmptError: it cannot be joined, no node can hold a trial, or a node differs from this machine.
    """
    with joined_cluster(address):
        capacity_for(rooms(), question.resources)
        with asked_nodes() as nodes:
            refuse_problems(nodes, question)
