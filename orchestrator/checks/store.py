"""Every node can write in the store, and sees what the others write."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from orchestrator.check import Finding, Question, ok, problem, warning
from orchestrator.nodes import Nodes
from results.files import Files

__all__ = ["check"]

_SHARE = "give --store a folder that every node mounts at this path, or a bucket URL"
_REPAIR = "make it a folder or bucket that this node may write to, with space left"
_LISTING = "mount it with shorter attribute caching; until then nodes learn of each other's results late"

_Seen = tuple[Collection[str], Collection[str]]  # names that cannot be read there, names that are not listed


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Let every node write, flush, rename and read back a file; then let every node look for all of them."""
    folder = f".mmpt-doctor-{uuid.uuid4().hex}"
    written = nodes.ask_all(_write, question.store, folder)
    names = {node: name for node, (name, why) in written.items() if not why}
    seen = nodes.ask_all(_look, question.store, folder, tuple(names.values()))
    nodes.ask_all(_remove, question.store, folder)
    for node, (_, why) in written.items():
        if why:
            yield problem(f"{question.store} cannot be used: {why}", _REPAIR, node)
    for node in names.keys() & seen.keys():
        yield _judged(node, nodes.here, names, seen, question.store)


def _judged(node: str, here: str, names: Mapping[str, str], seen: Mapping[str, _Seen], store: str) -> Finding:
    """Compare what one node sees with what was written; the driver's store is the one that counts."""
    unread, unlisted = seen[node]
    if names.get(here) in unread or names[node] in seen.get(here, ((), ()))[0]:
        return problem(f"{store} is another folder there than on {here}, where the sweep starts", _SHARE, node)
    late = [writer for writer, name in names.items() if name in unlisted and name not in unread]
    if late:
        return warning(f"{store} does not list there what {late[0]} wrote a moment ago", _LISTING, node)
    return ok(f"{store} can be written, renamed in, listed and read", node)


def _write(store: str, folder: str) -> tuple[str, str]:
    """Write a file that nobody else writes, and read it back; return its name and what went wrong."""
    name = uuid.uuid4().hex
    files = Files(store)
    try:
        files.write(name.encode(), folder, name)
        wrong = "" if files.read(folder, name) == name.encode() else "it gives back other bytes than were written"
    except OSError as error:
        return name, error.strerror or str(error)
    return name, wrong


def _look(store: str, folder: str, names: tuple[str, ...]) -> _Seen:
    """Return which of the files cannot be read by name, and which are not listed."""
    files = Files(store)
    unread = []
    for name in names:
        try:
            files.read(folder, name)
        except OSError:
            unread.append(name)
    listed = files.names(folder)
    return unread, [name for name in names if name not in listed]


def _remove(store: str, folder: str) -> None:
    """Leave nothing behind, on a node with a folder of its own not even that."""
    files = Files(store)
    with suppress(OSError):  # another node was faster
        files.remove(folder)
    if files.is_local:
        with suppress(OSError):  # a store with anything in it stays
            Path(store).rmdir()
