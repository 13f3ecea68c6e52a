"""Where a trial's numbers come from: code revision and package versions."""

import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from trainables.code_version import code_hash, installed_packages

__all__ = ["provenance"]


@cache
def provenance() -> dict[str, Any]:
    """Return what ran: `git_commit` of the source tree (None outside one), `code`, `python` and `packages`.

    `code` is a hash of the program's sources: it tells revisions apart where the tree was copied without its history.
    """
    return {
        "git_commit": _git_commit(),
        "code": code_hash(),
        "python": platform.python_version(),
        "packages": installed_packages(),
    }


def _git_commit() -> str | None:
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 (fixed words)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
