"""Nodes of a real Ray cluster with planted faults: own mounts, other code, other packages, another GPU driver."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("search_spaces", "results", "trainables", "orchestrator")


def can_mount() -> bool:
    """Tell whether this user may give a process its own mounts: root on Linux may."""
    command = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


def copied_code(folder: Path, *, changed: str) -> Path:
    """Copy the four packages and append a comment to one file: what an older checkout is."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / changed).open("a", encoding="utf-8") as file:
        file.write("# an older revision\n")
    return folder


def plant_package(folder: Path, name: str, version: str) -> None:
    """Let `importlib.metadata` find another version of a package in this folder."""
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def plant_command(folder: Path, name: str, said: str) -> None:
    """Put a command there that says something."""
    folder.mkdir(parents=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    path.chmod(0o755)


@contextmanager
def node_with_own(folder: Path, address: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Start a node to which `folder` is an empty disk of its own, as a path is that no two machines share."""
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={address}", "--num-cpus=1", "--block"]
    start += ["--dashboard-agent-listen-port=0", "--object-store-memory=100000000"]
    inside = ["sh", "-c", 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"', str(folder), *start]
    node = subprocess.Popen(
        ["unshare", "--mount", *inside],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        node.terminate()
        node.wait(timeout=60)
