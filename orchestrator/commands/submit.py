"""Send `mmpt run` to a Ray cluster, where it goes on when this machine is switched off; sending twice is harmless."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import orchestrator
from orchestrator.commands import run
from orchestrator.commands._options import narrowed_grid
from orchestrator.ray_jobs import RayJobs
from orchestrator.submission import Attempt, latest_attempt, submission_name
from search_spaces.errors import InvalidValueError, MmptError

__all__ = ["command"]

_INSTALLED = "installed"
_NOT_COMPLETE, _INTERRUPTED = 3, 130


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="PRESET [OPTIONS OF mmpt run]", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--address", required=True, help="The cluster's dashboard, http://host:8265.")
@click.option("--follow", is_flag=True, help="Show what it says until it ends; its exit code is then this one's.")
@click.option(
    "--code",
    metavar="FOLDER",
    help="Folder that every node gets for this sweep, except what .gitignore leaves out; by default the checkout that "
    f"this mmpt runs from, if it does; '{_INSTALLED}' for what the cluster has.",
)
def command(arguments: tuple[str, ...], address: str, code: str | None, *, follow: bool) -> int:
    """Start `mmpt run PRESET ...` on the head of a cluster, with the options of mmpt run.

    The sweep's trials, name and store make its submission id, so that the same command finds what is running already,
    starts a new attempt after a failure, and has nothing to do after a success.

    \b
      mmpt submit quickstart --store /shared/mmpt-store --address http://head:8265 --follow
      mmpt submit mmpt_late --gpus 0.5 --store s3://bucket/sweeps --tracking-uri none --address http://127.0.0.1:8265
    """
    with run.command.make_context("mmpt submit", list(arguments)) as context:
        given = context.params
    name = _checked_name(given)
    folder = _code_folder(code)
    jobs = RayJobs(address)
    attempt = latest_attempt(name, jobs.attempts())
    if attempt is None or attempt.state in ("failed", "stopped"):
        name = _send(jobs, name, attempt, arguments, folder)
    elif attempt.goes_on:
        name = attempt.name
        _say(f"{name} is {attempt.state} already; nothing was sent")
    else:
        _say(f"{attempt.name} has succeeded; there is nothing to do")
        return 0
    return _follow(jobs, name) if follow else 0


def _send(jobs: RayJobs, name: str, before: Attempt | None, arguments: Sequence[str], folder: Path | None) -> str:
    """Start the next attempt and return its submission id."""
    new = before.next_name if before else name
    try:
        jobs.send(new, ["python", "-m", "orchestrator", "run", *arguments, "--address", "auto"], folder)
    except MmptError:
        if new not in jobs.attempts():
            raise
        _say(f"{new} was sent by somebody else a moment ago")
    else:
        _say(f"sent {new}" + (f"; {before.name} has {before.state}" if before else ""))
    return new


def _checked_name(given: dict[str, Any]) -> str:
    """Return the submission id of what `mmpt run` was asked for.

    Raises:
        InvalidValueError: it would mean something else on the cluster.
    """
    for option in ("inline", "address"):
        if given[option]:
            raise InvalidValueError(
                f"--{option}", given[option], "nothing: the sweep runs on the cluster it is sent to"
            )
    store = given["store"]
    if "://" not in store and not Path(store).is_absolute():
        raise InvalidValueError("--store", store, "an absolute folder that all nodes see, or a bucket URL")
    specs = narrowed_grid(given["preset"], given["settings"], given["seeds"])
    return submission_name(given["preset"], specs, store)


def _code_folder(code: str | None) -> Path | None:
    """Return the folder whose code is shipped, or None."""
    if code == _INSTALLED:
        return None
    if code is not None:
        folder = Path(code).expanduser().absolute()
        if not folder.is_dir():
            raise InvalidValueError("--code", code, f"a folder, or {_INSTALLED!r}")
        return folder
    checkout = Path(orchestrator.__file__).resolve().parent.parent
    return checkout if (checkout / "pyproject.toml").exists() else None


def _follow(jobs: RayJobs, name: str) -> int:
    try:
        attempt = jobs.follow(name, lambda text: click.echo(text, nl=False))
    except KeyboardInterrupt:
        _say(f"no longer following; {name} goes on")
        return _INTERRUPTED
    _say(f"{name} has {attempt.state}")
    return _exit_code(attempt)


def _exit_code(attempt: Attempt) -> int:
    if attempt.state == "succeeded":
        return 0
    if attempt.state == "stopped":
        return _INTERRUPTED
    return attempt.exit_code if attempt.exit_code is not None and attempt.exit_code > 0 else _NOT_COMPLETE


def _say(line: str) -> None:
    click.echo(f"mmpt: {line}", err=True)
