"""Train what a preset still lacks: on Ray, or with --inline in this process."""

import shlex
from typing import Any

import click

from orchestrator.commands._options import (
    narrowed_grid,
    preset_options,
    shared_cache_option,
    store_option,
    tracking_option,
    verify_option,
)
from orchestrator.commands._resources import resource_options, taken_resources
from orchestrator.events import Listener
from orchestrator.progress import ProgressDisplay, SteadyConsole
from orchestrator.sweep import Sweep
from orchestrator.system_metrics import SystemMetrics
from orchestrator.tracking_uri import DISABLED, redact
from search_spaces.errors import InvalidValueError

__all__ = ["command"]


@click.command()
@preset_options
@store_option
@tracking_option
@click.option("--address", help="Join a running Ray cluster (host:port); by default a local one is started.")
@click.option("--inline", is_flag=True, help="Train in this process, one trial after the other, without Ray.")
@click.option("--max-concurrent", type=click.IntRange(min=1), help="Most trials at once.")
@click.option(
    "--retries", type=click.IntRange(min=0), default=2, help="Most further tries of a trial whose worker died."
)
@resource_options
@click.option("--only", type=click.Choice(["missing", "failed"]), help="Leave out earlier failures, or run only those.")
@shared_cache_option
@verify_option
@click.option("--system-metrics", is_flag=True, help="Show this machine's load beside the sweep in MLflow.")
@click.option("--keep-models", is_flag=True, help="Keep every trial's weights, for `mmpt register`.")
@click.option("--fail-fast", is_flag=True, help="Start nothing more after the first failure.")
def command(
    preset: str,
    settings: tuple[str, ...],
    seeds: int | None,
    store: str,
    tracking_uri: str | None,
    shared_cache: str | None,
    system_metrics: bool,
    keep_models: bool,
    **how: Any,
) -> int:
    """Train what PRESET still lacks in the store, then say how to look at it.

    Trials that the store already has are never trained again, so the same command resumes an interrupted sweep and
    extends a finished one.

    \b
      mmpt run quickstart
      mmpt run quickstart --set method=naive,mtl --seeds 5
      mmpt run quickstart --inline --store /data/sweeps/first
      mmpt run mmpt_late --address auto --store /shared/mmpt-store --gpus 1/2 --memory 16
    """
    if how["inline"] and how["address"]:
        raise InvalidValueError("--address", how["address"], "no address together with --inline")
    console = SteadyConsole()
    resources = taken_resources(preset, how)
    sweep = Sweep(
        narrowed_grid(preset, settings, seeds),
        store=store,
        name=preset,
        tracking=tracking_uri,
        resources=resources,
        shared_cache=shared_cache,
        keep_models=keep_models,
    )
    listeners: list[Listener] = [ProgressDisplay(console)]
    if system_metrics and sweep.tracking != DISABLED:
        listeners.append(SystemMetrics(sweep.store, sweep.tracking))
    outcome = sweep.run(**how, listeners=listeners)
    lines = [f"results   {sweep.store.root}"]
    if sweep.tracked:
        lines.append(f"tracking  {redact(sweep.tracking)}: {sweep.tracked}")
    lines.append(f"tables    {shlex.join(['mmpt', 'report', '--store', store, '--out', 'mmpt-report'])}")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    return 1 if outcome.failed or outcome.skipped else 0 if not outcome.pending else 3
