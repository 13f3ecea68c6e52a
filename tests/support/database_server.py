"""A throw-away PostgreSQL and real MLflow servers, each a process of its own that ends with its test."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

START_SECONDS = 240.0  # a machine that runs other tests takes its time


def postgresql_folder() -> Path | None:
    """Return the folder of PostgreSQL's programs, None if it is not installed; Debian does not put them on PATH."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).resolve().parent if found else places[-1].parent if places else None


@contextlib.contextmanager
def postgresql(programs: Path) -> Iterator[str]:
    """Run a new cluster on a Unix socket only; yield the URI of an empty database.

    PostgreSQL refuses to run as root: then it runs as the user `postgres` that its package makes.
    """
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="mmpt-pg-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    try:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data = str(folder / "data")
        make = [*as_user, str(programs / "initdb"), "-D", data, "-U", "mlflow", "--auth=trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder)
        command = [*as_user, str(programs / "postgres"), "-D", data, "-k", str(folder), "-c", "listen_addresses="]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as server,
        ):
            try:
                _wait(lambda: (folder / ".s.PGSQL.5432").exists() and _made(as_user, programs, folder), server)
                yield f"postgresql+psycopg2://mlflow@/mlflow?host={folder}"
            finally:
                server.send_signal(signal.SIGINT)  # a fast shutdown, which does not wait for clients
                server.wait(60)
    finally:
        shutil.rmtree(folder)


def _made(as_user: list[str], programs: Path, folder: Path) -> bool:
    command = [*as_user, str(programs / "createdb"), "-h", str(folder), "-U", "mlflow", "mlflow"]
    return subprocess.run(command, check=False, capture_output=True, cwd=folder).returncode == 0


def without_jobs() -> dict[str, str]:
    """Return an environment in which a server does not start seven more processes for jobs that nobody asks for."""
    return {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class MlflowServer:
    """A real `mlflow server` on one port of this machine, to be started, killed and started again."""

    def __init__(self, backend: str, folder: Path, workers: int = 2) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / "mlflow-server.log"
        self._command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", backend]
        self._command += ["--artifacts-destination", (folder / "artifacts").as_uri(), "--workers", str(workers)]
        self._command += ["--host", "127.0.0.1", "--port", str(self.port)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True, env=without_jobs()
            )
        _wait(self._answers, self._process)

    def stop(self, *, kill: bool = False) -> None:
        """End it and its workers; with `kill` at once, in the middle of whatever they do."""
        if self._process is not None:
            group = self._process.pid  # a session of its own
            os.killpg(group, signal.SIGKILL if kill else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/health", timeout=5):
            return True
        return False


def _wait(ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline, pause = time.monotonic() + START_SECONDS, threading.Event()
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} did not start (exit code {process.returncode})")
        pause.wait(0.1)
