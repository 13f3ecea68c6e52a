"""Options that say what one trial takes of a node; they replace what a preset says."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from search_spaces.errors import InvalidValueError
from search_spaces.presets import PRESETS

__all__ = ["resource_options", "taken_resources"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--cpus", metavar="N", help="CPUs of one trial, or part of one."),
    click.option(
        "--gpus",
        "--gpus-per-trial",
        metavar="SHARE",
        help="GPU share of one trial: 0, 1/4, 1/3, 1/2, 1, N whole ones, or auto to measure what each kind of trial "
        "needs.",
    ),
    click.option(
        "--workers-per-trial", metavar="N", help="Processes that train one trial together, each with these shares."
    ),
    click.option("--memory", metavar="GIB", help="Main memory of one trial."),
    click.option("--label", "labels", multiple=True, metavar="LABEL=VALUE", help="Use nodes with this label only."),
    click.option("--resource", "custom", multiple=True, metavar="NAME=AMOUNT", help="Take this of what nodes declare."),
)


def resource_options(function: F) -> F:
    """Add --cpus, --gpus, --workers-per-trial, --memory, --label and --resource; `taken_resources` reads them."""
    for decorate in reversed(_OPTIONS):
        function = decorate(function)
    return function


def taken_resources(preset: str, options: dict[str, Any]) -> dict[str, Any]:
    """Take what `resource_options` added out of a command's options; return it over what a preset says.

    Raises:
        UnknownNameError: there is no such preset.
        InvalidValueError: a label or resource is not NAME=VALUE.
    """
    given = {name: options.pop(name) for name in ("cpus", "gpus", "workers_per_trial", "memory")}
    pairs = {name: _pairs(flag, options.pop(name)) for name, flag in (("labels", "--label"), ("custom", "--resource"))}
    chosen = {name: value for name, value in {**given, **pairs}.items() if value not in (None, {})}
    return {**PRESETS.get(preset).resources, **chosen}


def _pairs(flag: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, value in pairs:
        if not name or not equals or not value:
            raise InvalidValueError(flag, name + equals + value, "NAME=VALUE")
    return {name: value for name, _, value in pairs}
