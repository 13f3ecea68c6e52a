"""The machines that a sweep would run on, as something that can be asked: this one alone, or a cluster's nodes."""

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from search_spaces.errors import MmptError

__all__ = ["Nodes", "ThisMachine"]


class Nodes(ABC):
    """Runs a function on every node at once.

    Attributes:
        names: of the nodes.
        here: name of the node that this process runs on.
        unanswered: node -> why it gave no answer; whoever asks reads and empties it.
    """

    names: tuple[str, ...]
    here: str

    def __init__(self) -> None:
        self.unanswered: dict[str, str] = {}

    @abstractmethod
    def ask_all(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Return node -> what the function returned there; nodes on which it raised are in `unanswered` instead."""

    @abstractmethod
    def ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the function returns on one node; None if it raised there, see `ask_all`."""


class ThisMachine(Nodes):
    """The machine of this process, without ray."""

    def __init__(self) -> None:
        super().__init__()
        self.here = platform.node() or "this machine"
        self.names = (self.here,)

    def ask_all(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Call it here."""
        answer = self.ask(self.here, function, *arguments)
        return {} if self.here in self.unanswered else {self.here: answer}

    def ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it here."""
        try:
            return function(*arguments)
        except (MmptError, OSError, ImportError) as error:
            self.unanswered[node] = f"{type(error).__name__}: {error}"
            return None
