"""The first process of one host of a `MachineRoom`: run as a script in fresh namespaces, it boots and then stays.

It gives the host a root file system of its own (what this machine has, under a private layer), a home, an empty
`/tmp/ray` and `/dev/shm`, starts sshd and says `ready`. Whoever kills it cuts the power.
"""

import argparse
import os
import signal
import socket
import subprocess
from pathlib import Path

HOME = "/home/machine"
SHARED = "/shared"


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def build_root(layer: Path, shared: Path, visible: list[Path]) -> Path:
    """Mount everything that the host sees below one folder."""
    root = layer / "root"
    for folder in (root, layer / "upper", layer / "work", layer / "home"):
        folder.mkdir(parents=True, exist_ok=True)
    mount("--make-rprivate", "/")
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={layer}/upper,workdir={layer}/work", root)

    def place(inside: str | Path, *what: object) -> None:
        target = root / str(inside).lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        mount(*what, target)

    for path in visible:  # on disks of their own, which the overlay does not show
        if not (root / path.relative_to("/")).exists():
            place(path, "--bind", "-o", "ro", path)
    place(SHARED, "--bind", shared)
    place(HOME, "--bind", layer / "home")
    place("proc", "-t", "proc", "proc")
    place("sys", "-t", "sysfs", "-o", "ro", "sysfs")
    place("dev", "--rbind", "/dev")
    place("dev/shm", "-t", "tmpfs", "-o", "size=512m", "tmpfs")
    place("run", "-t", "tmpfs", "-o", "size=64m", "tmpfs")
    place("tmp/ray", "-t", "tmpfs", "-o", "size=1g", "tmpfs")
    return root


def enter(root: Path) -> None:
    """Leave the machine's own file system behind."""
    os.chdir(root)
    Path(".old").mkdir(exist_ok=True)
    subprocess.run(["pivot_root", ".", ".old"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/.old"], check=True)


def settle(name: str, hosts: str) -> None:
    """Write the few files in which hosts differ."""
    socket.sethostname(name)
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{hosts}\n")
    Path("/etc/resolv.conf").write_text("")
    entries = Path("/etc/passwd").read_text().splitlines()
    others = [line for line in entries if not line.startswith("root:")]
    Path("/etc/passwd").write_text("\n".join([f"root:x:0:0:root:{HOME}:/bin/bash", *others, ""]))
    ssh = Path(HOME) / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    (ssh / "authorized_keys").write_bytes(Path(SHARED, "ssh", "key.pub").read_bytes())
    Path(HOME, ".bashrc").touch()
    os.environ["HOME"] = HOME


def start_sshd() -> None:
    Path("/run/sshd").mkdir()
    settings = {
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "UseDNS": "no",
        "MaxStartups": 50,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    command = ["/usr/sbin/sshd", "-f", "/dev/null", "-h", f"{SHARED}/ssh/host_key", "-E", "/var/log/sshd.log", *options]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--layer", type=Path, required=True)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--hosts", required=True)
    parser.add_argument("visible", type=Path, nargs="*")
    given = parser.parse_args()
    enter(build_root(given.layer, given.shared, given.visible))
    settle(given.name, given.hosts)
    start_sshd()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans are reaped, as an init does
    os.write(1, b"ready\n")
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
