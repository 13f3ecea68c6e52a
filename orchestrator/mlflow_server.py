"""MLflow's own server over a store's database: on loopback unless asked otherwise, and never longer than asked."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["LOOPBACK", "Server", "is_loopback", "serving"]

LOOPBACK = "127.0.0.1"
_ARTIFACTS = "mlflow-artifacts"
_START_SECONDS = 180.0
_STOP_SECONDS = 10.0
_PAUSE_SECONDS = 0.2
_LOG_LINES = 5
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven processes of 260 MB each that looking at results never uses
}
_PRIVATE = ("10.*", "192.168.*", *(f"172.{number}.*" for number in range(16, 32)))


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        address: what a browser on this machine opens.
        process: ours.
    """

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def serving(root: Path, *, host: str = LOOPBACK, port: int = 0, workers: int = 1) -> Iterator[Server]:
    """Serve `<root>/mlflow.db`, which is made if need be; files that clients log go below the same folder.

    Args:
        root: absolute folder of a store.
        host: the network interface; anything but loopback lets other machines in.
        port: 0 takes a free one.
        workers: processes that answer; of several, one that does not for 5 s is ended, so that on a busy machine more
            than one may never come up.

    Raises:
        InvalidValueError: the port is taken or the host is none of this machine's.
        MmptError: the server does not start; the message ends with what it said.
    """
    chosen = _free_port(host, port)
    with tempfile.TemporaryFile() as log:
        environment = {**os.environ, **_QUIET}
        command = _command(root, host, chosen, workers)
        # A session of its own: Ctrl-C reaches only us, and its workers end with it.
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)  # noqa: S603 (our own words)
        try:
            server = Server(f"http://{_shown(host)}:{chosen}", process)
            _wait_until_it_answers(server)
            yield server
        except _StoppedError:
            log.seek(0)
            said = " | ".join(log.read().decode(errors="replace").strip().splitlines()[-_LOG_LINES:])
            raise MmptError(f"MLflow's server did not start (exit code {process.returncode}): {said}") from None
        finally:
            _stop(process)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server on this interface.

    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "0.0.0.0", "head-node")]
    [True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _StoppedError(Exception):
    """The server ended before it answered."""


def _command(root: Path, host: str, port: int, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", f"sqlite:///{root / 'mlflow.db'}"),
        *("--artifacts-destination", (root / _ARTIFACTS).as_uri()),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--allowed-hosts", ",".join(_allowed_hosts(host, port))),
        *("--cors-allowed-origins", ",".join(f"http://{name}:{port}" for name in _names(host))),
    ]


def _allowed_hosts(host: str, port: int) -> list[str]:
    """Return what a browser may send as Host, with and without the port: MLflow answers 403 to anything else."""
    ranges = () if is_loopback(host) else _PRIVATE  # their * covers the port
    return [*(f"{name}{end}" for name in _names(host) for end in (f":{port}", "")), *ranges]


def _names(host: str) -> list[str]:
    own = ["localhost", LOOPBACK, "[::1]"]
    if is_loopback(host):
        return own
    return list(dict.fromkeys([*own, host, socket.gethostname(), socket.getfqdn()]))


def _shown(host: str) -> str:
    """Return the name under which this machine's browser reaches an interface."""
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104 (recognised, not bound)
    name = LOOPBACK if everywhere else host
    return f"[{name}]" if ":" in name else name


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, OverflowError) as error:
        allowed = f"a free port of this machine; --port 0 takes one ({error})"
        raise InvalidValueError("address", f"{host}:{port}", allowed) from None


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{server.address}/health", timeout=_PAUSE_SECONDS * 10):  # noqa: S310 (http)
                return
        except OSError:
            time.sleep(_PAUSE_SECONDS)
    raise _StoppedError


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the server, then whatever is left of its workers: they are a session that nobody else is in."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(_STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
