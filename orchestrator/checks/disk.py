"""Every node has space left where it writes."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestrator.check import Finding, Question, ok, problem, warning
from orchestrator.nodes import Nodes

__all__ = ["check"]

_GIB = 1024**3
_PROBLEM_BYTES, _WARNING_BYTES = _GIB // 4, 5 * _GIB
_WARNING_SHARE = 0.05  # of the disk; Ray stops creating objects when less is left


def check(nodes: Nodes, question: Question) -> Iterator[Finding]:
    """Look at the disks of the store, of prepared data and of temporary files."""
    folders = {"prepared data": question.cache, "temporary files": ""}
    if "://" not in question.store:
        folders = {"the store": question.store, **folders}
    for node, disks in nodes.ask_all(_disks, folders).items():
        yield from (_judged(what, path, free, total, node) for what, path, free, total in disks)


def _disks(folders: dict[str, str]) -> list[tuple[str, str, int, int]]:
    """Return (what is kept there, folder, free bytes, bytes) of each folder's disk."""
    found = []
    for what, text in folders.items():
        folder = Path(text or tempfile.gettempdir())
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        usage = shutil.disk_usage(there)
        found.append((what, str(folder), usage.free, usage.total))
    return found


def _judged(what: str, path: str, free: int, total: int, node: str) -> Finding:
    said = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB are free for {what} ({path})"
    cure = "delete what is no longer needed, or put it on another disk"
    if free < _PROBLEM_BYTES:
        return problem(said, cure, node)
    if free < _WARNING_BYTES or free < _WARNING_SHARE * total:
        return warning(said, cure, node)
    return ok(said, node)
