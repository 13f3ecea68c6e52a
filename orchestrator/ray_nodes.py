"""A joined Ray cluster's nodes, each asked through a small actor that takes no resources from trials."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.nodes import Nodes
from trainables import code_version

__all__ = ["RayNodes", "asked_nodes", "node_names"]

_ANSWER_SECONDS = 120.0  # a worker that imports torch from a cold network disk takes that long
_SHORT_ID = 6
_SHIPPED = (sys.modules[__name__], code_version)  # by value, so that a node with other code, or none, can answer


class RayNodes(Nodes):
    """The nodes of a cluster; see `asked_nodes`."""

    def __init__(self, actors: Mapping[str, Any], here: str) -> None:
        super().__init__()
        self._actors = actors
        self.names = tuple(actors)
        self.here = here

    def ask_all(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call it on every node at the same time."""
        waiting = {node: actor.ask.remote(function, *arguments) for node, actor in self._actors.items()}
        ray.wait(list(waiting.values()), num_returns=len(waiting), timeout=_ANSWER_SECONDS)
        answers = {node: self._answer(node, reference, 0.0) for node, reference in waiting.items()}
        return {node: answer for node, answer in answers.items() if node not in self.unanswered}

    def ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it there."""
        return self._answer(node, self._actors[node].ask.remote(function, *arguments), _ANSWER_SECONDS)

    def _answer(self, node: str, reference: Any, seconds: float) -> Any:
        try:
            return ray.get(reference, timeout=seconds)
        except GetTimeoutError:
            self.unanswered[node] = f"no answer within {_ANSWER_SECONDS:.0f} s"
        except RayTaskError as error:
            self.unanswered[node] = f"{type(error.cause).__name__}: {error.cause}".partition("\n")[0]
        except RayError as error:
            self.unanswered[node] = f"{type(error).__name__}: {error}".partition("\n")[0]
        return None


@contextmanager
def asked_nodes() -> Iterator[RayNodes]:
    """Give the living nodes of the cluster that was joined; their actors are gone afterwards."""
    names = node_names()
    for module in _SHIPPED:
        cloudpickle.register_pickle_by_value(module)
    make: Any = ray.remote(num_cpus=0)(_Asked)
    actors = {
        name: make.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)).remote()
        for node_id, name in names.items()
    }
    try:
        yield RayNodes(actors, names[ray.get_runtime_context().get_node_id()])
    finally:
        for actor in actors.values():
            ray.kill(actor)
        for module in _SHIPPED:
            cloudpickle.unregister_pickle_by_value(module)


def node_names() -> dict[str, str]:
    """Return node id -> name of every living node: its address, and its id where two nodes share an address."""
    found = {node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["Alive"]}
    times = Counter(found.values())
    return {key: name if times[name] == 1 else f"{name} ({key[:_SHORT_ID]})" for key, name in found.items()}


class _Asked:
    """On a node: calls what it is given."""

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)
