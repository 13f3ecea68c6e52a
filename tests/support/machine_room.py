"""Hosts for tests of real clusters: Linux namespaces with own addresses, processes, file systems and sshd.

The whole room lives below one process in process, mount and network namespaces of its own. When that process ends, and
it ends with the test's, the kernel takes every host, mount and network of the room with it; nothing has to be undone.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

import machine_room_host
from machine_room_host import HOME, SHARED

__all__ = ["HOME", "SHARED", "MachineRoom", "why_impossible"]

_TOOLS = ("ip", "sshd", "ssh", "ssh-keygen", "rsync", "unshare", "nsenter", "setpriv", "pivot_root")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEADLINE_SECONDS = 20.0


def why_impossible() -> str:
    """Say what this machine lacks for a machine room; "" if nothing."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=_SYSTEM_PATH) is None]
    if missing:
        return f"{', '.join(missing)} not found; Debian has them in iproute2, openssh-server, rsync and util-linux"
    namespaces = ["unshare", "--net", "--pid", "--mount", "--fork", "true"]
    tried = subprocess.run(namespaces, check=False, capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"this machine allows no namespaces: {tried.stderr.strip()}"


class MachineRoom:
    """A bridge and hosts on it, 10.77.0.10 and up; use it as a context manager.

    Args:
        folder: an empty folder; `folder/shared` is `/shared` on every host, as a network file system would be.
        names: the hosts' names.
        visible: folders of this machine that every host sees; most are seen anyway.
    """

    def __init__(self, folder: Path, names: Sequence[str], visible: Sequence[Path] = ()) -> None:
        self.shared = folder / "shared"
        self.addresses = {name: f"10.77.0.{10 + number}" for number, name in enumerate(names)}
        self._layers = folder / "layers"
        self._visible = visible
        self._hosts: dict[str, tuple[subprocess.Popen[str], int]] = {}

    def __enter__(self) -> Self:
        (self.shared / "ssh").mkdir(parents=True)
        self._layers.mkdir()
        for key in ("key", "host_key"):
            path = self.shared / "ssh" / key
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        dying_with_us = ["setpriv", "--pdeathsig", "KILL"]
        own = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._room = subprocess.Popen([*dying_with_us, *own, "sleep", "infinity"])
        self._init = _only_child(self._room.pid)
        try:
            self._in_room("mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", str(self._layers))
            self._link("add", "bridge", "type", "bridge")
            self._link("set", "bridge", "up")
            for name in self.addresses:
                self.boot(name)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything in the room."""
        self._room.kill()
        self._room.wait()
        for process, _ in self._hosts.values():
            process.communicate()

    def boot(self, name: str) -> None:
        """Switch a host on; what it wrote before is still on its disk."""
        hosts = "\n".join(f"{address} {host}" for host, address in self.addresses.items())
        script = [sys.executable, "-I", machine_room_host.__file__, "--name", name, "--hosts", hosts]
        folders = ["--layer", str(self._layers / name), "--shared", str(self.shared), *map(str, self._visible)]
        enter = ["nsenter", f"--target={self._init}", "--mount", "--net", "--pid"]
        own = ["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child"]
        process = subprocess.Popen([*enter, *own, *script, *folders], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", f"{name} does not boot"
        init = _only_child(_only_child(process.pid))
        self._hosts[name] = process, init
        self._link("add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(init))
        self._link("set", f"to-{name}", "master", "bridge", "up")
        inside = ["nsenter", f"--target={init}", "--net", "ip"]
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{self.addresses[name]}/24", "dev", "eth0"]):
            subprocess.run([*inside, *words], check=True)
        subprocess.run([*inside, "link", "set", "eth0", "up"], check=True)

    def power_off(self, name: str) -> None:
        """Cut a host's power."""
        process, init = self._hosts.pop(name)
        os.kill(init, signal.SIGKILL)
        process.communicate()
        with contextlib.suppress(subprocess.CalledProcessError):  # the kernel may have been faster
            self._link("delete", f"to-{name}")

    def cut(self, name: str) -> None:
        """Pull a host's network cable."""
        self._link("set", f"to-{name}", "down")

    def mend(self, name: str) -> None:
        """Plug it in again."""
        self._link("set", f"to-{name}", "up")

    def start(
        self, name: str, *command: str, folder: str = HOME, output: IO[str] | int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Start a command on a host, in a clean environment; both its outputs go to `output`."""
        _, init = self._hosts[name]
        enter = ["nsenter", f"--target={init}", "--mount", "--net", "--pid", "--uts", "--ipc", f"--wdns={folder}"]
        environment = {
            "HOME": HOME,
            "USER": "root",
            "LANG": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
            "PYTHONUNBUFFERED": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        return subprocess.Popen([*enter, *command], env=environment, text=True, stdout=output, stderr=subprocess.STDOUT)

    def run(self, name: str, *command: str, folder: str = HOME, timeout_seconds: float = 120) -> str:
        """Run a command on a host to its end, which must be a good one, and return what it said."""
        process = self.start(name, *command, folder=folder)
        said, _ = process.communicate(timeout=timeout_seconds)
        assert process.returncode == 0, f"{name}: {' '.join(command)} exited {process.returncode}\n{said}"
        return said

    def _link(self, *words: str) -> None:
        subprocess.run(["nsenter", f"--target={self._init}", "--net", "ip", "link", *words], check=True)

    def _in_room(self, *command: str) -> None:
        subprocess.run(["nsenter", f"--target={self._init}", "--mount", *command], check=True)


def _only_child(process: int) -> int:
    """Wait for the one child of a process."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError(f"process {process} has started nothing")
