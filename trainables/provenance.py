"""Where a trial's numbers come from: code revision and package versions."""

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["provenance"]

_PACKAGES = ("mmpt-sweep", "torch", "transformers", "numpy", "pyarrow", "scikit-learn", "ray", "mlflow")


@cache
def provenance() -> dict[str, Any]:
    """Return `git_commit` of the source tree (None outside one), `python` and `packages` with their versions."""
    return {"git_commit": _git_commit(), "python": platform.python_version(), "packages": _packages()}


def _packages() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


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
