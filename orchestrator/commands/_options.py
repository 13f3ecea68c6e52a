"""Options that several commands share, and how a sweep is made of them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.tracking_uri import DISABLED, tracking_uri
from search_spaces.errors import InvalidValueError, MmptError, UnknownNameError
from search_spaces.grid import Grid
from search_spaces.presets import PRESETS

__all__ = [
    "fixed_pair",
    "narrowed_grid",
    "parse_value",
    "preset_options",
    "shared_cache_option",
    "store_option",
    "tracking_option",
    "usable_tracking",
    "verify_option",
]

F = TypeVar("F", bound=Callable[..., Any])

store_option = click.option(
    "--store",
    default="mmpt-store",
    show_default=True,
    help="Folder or bucket URL of the results. A relative folder counts from the current directory.",
)
tracking_option = click.option(
    "--tracking-uri",
    help="MLflow tracking URI; by default sqlite:///<store>/mlflow.db. 'none' switches tracking off.",
)
shared_cache_option = click.option(
    "--shared-cache",
    help="Folder or bucket URL in which machines share prepared data; by default $MMPT_SHARED_CACHE, or none.",
)
verify_option = click.option(
    "--verify", is_flag=True, help="Check every byte of finished trials, not only that all files are there."
)


def preset_options(function: F) -> F:
    """Add PRESET, --set and --seeds."""
    for decorate in (
        click.option("--seeds", type=int, help="Run every trial with seeds 0 to N-1.", metavar="N"),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="AXIS=V1,V2",
            help="Replace an axis: learning_rate=1e-3,3e-4, method=naive,mtl, p_train=0.3,image:0.5, missing=gcnet, "
            "mtl.weight=1, encoder.image=vit_tiny, av_digits.preset=competition. Can be given several times.",
        ),
        click.argument("preset"),
    ):
        function = decorate(function)
    return function


def narrowed_grid(preset: str, settings: tuple[str, ...], seeds: int | None) -> Grid:
    """Return a preset's grid with axes replaced.

    Raises:
        UnknownNameError: there is no such preset or axis.
        InvalidValueError: a setting is not AXIS=VALUES.
    """
    grid = PRESETS.get(preset).grid
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not text:
            raise InvalidValueError("--set", setting, "AXIS=V1,V2")
        grid = grid.with_axis(name.strip(), [parse_value(name.strip(), part.strip()) for part in text.split(",")])
    _check_effect([setting.partition("=")[0].strip() for setting in settings], grid)
    if seeds is not None and any(setting.startswith("seed=") for setting in settings):
        raise InvalidValueError("--seeds", seeds, "either --seeds N or --set seed=..., not both")
    return grid if seeds is None else grid.with_seeds(seeds)


def _check_effect(names: list[str], grid: Grid) -> None:
    """Refuse parameters of a method or data set that no trial has.

    Raises:
        UnknownNameError: with the nearest method or data set of the sweep.
    """
    owners = {part for spec in grid for part in (spec.method, spec.dataset)} | {"encoder", "dataset"}
    for name in names:
        owner, dot, _ = name.partition(".")
        if dot and owner not in owners:
            raise UnknownNameError(f"method or data set of this sweep (--set {name})", owner, owners)


def parse_value(name: str, text: str) -> Any:
    """Read one value of an axis from the command line: a number, true, false or text.

    >>> [parse_value("seed", "3"), parse_value("learning_rate", "1e-3"), parse_value("method", "mtl")]
    [3, 0.001, 'mtl']
    """
    if name == "p_train":
        return text
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def usable_tracking(text: str | None, store_root: str) -> str:
    """Return the tracking URI of a command that is of no use without MLflow.

    Raises:
        MmptError: there is none, or nothing answers there.
    """
    uri = tracking_uri(text, store_root)
    if uri == DISABLED:
        raise InvalidValueError("tracking URI", DISABLED, "where MLflow is")
    from orchestrator.tracking_check import check_tracking  # noqa: PLC0415 (most commands ask no server)

    warning = check_tracking(uri)
    if warning:
        raise MmptError(warning.partition(";")[0])
    return uri


def fixed_pair(text: str) -> tuple[str, Any]:
    """Read AXIS=VALUE.

    Raises:
        InvalidValueError: there is no "=".
    """
    axis, found, value = text.partition("=")
    if not found:
        raise InvalidValueError("--fix", text, "AXIS=VALUE, for instance learning_rate=0.001")
    return axis, parse_value(axis, value)
