"""Which code, Python and packages a process runs: what must be the same on every node of a sweep.

Standard library only, and shipped to nodes as it is here, so that a node with older code, or none, can answer.
"""

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["PACKAGES", "code_hash", "differences", "installed_packages", "running_versions"]

PACKAGES = ("mmpt-sweep", "torch", "transformers", "numpy", "pyarrow", "scikit-learn", "ray", "mlflow")
"""Distributions that can change a number or the files that hold it."""

_OURS = ("search_spaces", "results", "trainables", "orchestrator")
_KINDS = (".py", ".parquet", ".csv")
_DRIVER_ONLY = ("mlflow",)
_SHOWN = 12  # hexadecimal digits: enough to tell revisions apart


def running_versions() -> dict[str, str]:
    """Return name -> version of everything that has to be equal: `python`, `mmpt code` and packages."""
    return {"python": platform.python_version(), "mmpt code": code_hash() or "none", **installed_packages()}


def installed_packages() -> dict[str, str]:
    """Return distribution -> version of those of `PACKAGES` that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_hash() -> str | None:
    """Return a hash of the sources of the four packages that this process imports; None if one is not there.

    Unlike a commit it is known where the code was copied to without its history, and it knows of uncommitted changes.
    """
    digest = hashlib.sha256()
    for package in _OURS:
        found = find_spec(package)
        if found is None or found.origin is None:
            return None
        folder = Path(found.origin).parent
        for path in sorted(path for path in folder.rglob("*") if path.suffix in _KINDS):
            digest.update(f"{package}/{path.relative_to(folder).as_posix()}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_SHOWN]


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return in words what a node has that differs from the driver's, `torch 2.4.0 instead of 2.6.0`.

    Builds of one version (`2.6.0+cpu`, `2.6.0+cu126`) count as equal: a driver without a GPU serves nodes with one.
    """
    names = [name for name in {**expected, **found} if name not in _DRIVER_ONLY]
    pairs = {name: (expected.get(name, "none"), found.get(name, "none")) for name in names}
    return [
        f"{name} {theirs} instead of {ours}"
        for name, (ours, theirs) in pairs.items()
        if ours.partition("+")[0] != theirs.partition("+")[0]
    ]
