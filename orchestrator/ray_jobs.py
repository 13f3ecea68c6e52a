"""Ray Jobs, through the dashboard of a cluster: a way in that needs neither SSH nor the cluster's own versions."""

import asyncio
import logging
import os
import shlex
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestrator.submission import Attempt, State
from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["RayJobs"]

_NEEDED = ("aiohttp", "requests", "pydantic")
_NEVER_SHIPPED = [".git", ".venv", "venv", "__pycache__"]
_ANSWER_SECONDS = 5.0
_READY_SECONDS = 60.0
_NOT_READY = "No available agent"  # what a head answers in its first seconds
_END_SECONDS = 30.0  # between the last line of a log and the state that says how it ended
_STATES: Mapping[str, State] = {
    "PENDING": "waiting",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "STOPPED": "stopped",
}


class RayJobs:
    """The jobs of one cluster.

    Args:
        address: `http://host:port` of its dashboard.

    Raises:
        InvalidValueError: the address is no URL.
        MmptError: nothing answers there, the token is missing or wrong, or this installation lacks what Jobs needs.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise MmptError(f"sending needs {', '.join(missing)}: pip install 'mmpt-sweep[cluster]'")
        _check_listening(address)
        for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):  # Ray would take them in place of our address
            os.environ.pop(name, None)
        os.environ["RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES"] = ""  # with Ray's own it warns of every one
        from ray.job_submission import JobSubmissionClient  # noqa: PLC0415 (seconds)

        for handler in logging.getLogger("ray").handlers:
            handler.setLevel(logging.WARNING)
        with self._explained():
            self._client = JobSubmissionClient(address)

    def attempts(self) -> dict[str, Attempt]:
        """Return everything that was ever sent to the cluster, by submission id."""
        with self._explained():
            found = [_attempt(job) for job in self._client.list_jobs() if job.submission_id]
        return {one.name: one for one in found}

    def send(self, name: str, command: Sequence[str], folder: Path | None) -> None:
        """Start a command on the head.

        Args:
            name: its submission id.
            command: its words.
            folder: becomes the working directory of the command and of every worker that it starts, except what
                `.gitignore` and `.rayignore` leave out; None if the cluster has the code.

        Raises:
            MmptError: the cluster refuses it, or the folder is too large.
        """
        environment = {"working_dir": str(folder), "excludes": _NEVER_SHIPPED} if folder else {}
        deadline = time.monotonic() + _READY_SECONDS
        with self._explained():
            while True:
                try:
                    self._client.submit_job(entrypoint=shlex.join(command), submission_id=name, runtime_env=environment)
                except RuntimeError as error:
                    if _NOT_READY not in str(error) or time.monotonic() > deadline:
                        raise
                    time.sleep(1.0)
                else:
                    return

    def follow(self, name: str, write: Callable[[str], object]) -> Attempt:
        """Pass on what a command says until it ends, and return how it did.

        Raises:
            MmptError: the connection broke; the command itself goes on.
        """
        with self._explained():
            asyncio.run(self._copy(name, write))
            deadline = time.monotonic() + _END_SECONDS
            while (attempt := _attempt(self._client.get_job_info(name))).goes_on:
                if time.monotonic() > deadline:
                    raise ConnectionError("the log ended early")
                time.sleep(0.5)
        return attempt

    async def _copy(self, name: str, write: Callable[[str], object]) -> None:
        async for text in self._client.tail_job_logs(name):
            write(text)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what Ray's client raises into what a user can act on."""
        import aiohttp  # noqa: PLC0415 (optional)
        import requests  # noqa: PLC0415 (optional)
        from ray.exceptions import AuthenticationError  # noqa: PLC0415 (seconds)

        try:
            yield
        except AuthenticationError as error:
            raise MmptError(
                f"{self.address} asks for the cluster's token: set RAY_AUTH_MODE=token and put the token into "
                "~/.ray/auth_token, RAY_AUTH_TOKEN, or the file that RAY_AUTH_TOKEN_PATH names "
                f"({str(error).partition(chr(10))[0]})"
            ) from error
        except (ConnectionError, requests.RequestException, aiohttp.ClientError) as error:
            raise MmptError(f"no Ray dashboard answers at {self.address}, or no longer: {error}") from error
        except (RuntimeError, ValueError) as error:
            raise MmptError(f"{self.address} does not accept it: {error}") from error


def _attempt(job: Any) -> Attempt:
    return Attempt(name=job.submission_id, state=_STATES[str(job.status.value)], exit_code=job.driver_exit_code)


def _check_listening(address: str) -> None:
    url = urlsplit(address)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise InvalidValueError("--address", address, "http://host:port of the cluster's dashboard, usually port 8265")
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname, port), timeout=_ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise MmptError(
            f"nothing answers at {address}: {error}. A head serves its dashboard only with ray[default] installed, by "
            "default on port 8265 of itself alone; `ray dashboard CLUSTER.yaml` forwards that port to this machine"
        ) from error
