"""Say how far a preset is: done, failed and missing trials; exit 3 unless all are done."""

import json

import click
from rich.console import Console

from orchestrator.commands._options import narrowed_grid, preset_options, store_option, verify_option
from orchestrator.plan import PlannedTrial
from orchestrator.progress import describe, varying_axes
from orchestrator.status import SweepStatus
from orchestrator.sweep import Sweep

__all__ = ["command"]

_NOT_COMPLETE = 3


@click.command()
@preset_options
@store_option
@verify_option
@click.option("--json", "as_json", is_flag=True, help="Print trial ids by state as JSON.")
def command(preset: str, settings: tuple[str, ...], seeds: int | None, store: str, verify: bool, as_json: bool) -> int:
    """List what PRESET still lacks in the store and why.

    \b
      mmpt status quickstart || mmpt run quickstart --only missing
    """
    grid = narrowed_grid(preset, settings, seeds)
    status = Sweep(grid, store=store, name=preset, tracking="none").status(verify=verify)
    if as_json:
        click.echo(json.dumps(_as_json(status), indent=1))
    else:
        _show(status, Console())
    return 0 if status.complete else _NOT_COMPLETE


def _show(status: SweepStatus, console: Console) -> None:
    counts = {"done": status.done, "failed": status.failed, "corrupt": status.corrupt}
    counts |= ({"running": status.running} if status.running else {}) | {"missing": status.missing}
    console.print(", ".join(f"{len(trials)} {state}" for state, trials in counts.items()), highlight=False)
    varying = varying_axes(
        [*status.done, *status.missing, *(trial for trial, _ in (*status.failed, *status.corrupt, *status.running))]
    )
    lines = [_line("failed", trial, varying, error) for trial, error in status.failed]
    lines += [_line("corrupt", trial, varying, problem) for trial, problem in status.corrupt]
    lines += [_line("running", trial, varying, holder) for trial, holder in status.running]
    lines += [_line("missing", trial, varying) for trial in status.missing]
    if lines:
        console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _line(state: str, trial: PlannedTrial, varying: frozenset[str], why: str = "") -> str:
    return f"{state:8} {trial.trial_id} {describe(trial, varying)}" + (f": {why}" if why else "")


def _as_json(status: SweepStatus) -> dict[str, object]:
    return {
        "complete": status.complete,
        "done": [trial.trial_id for trial in status.done],
        "failed": {trial.trial_id: error for trial, error in status.failed},
        "corrupt": {trial.trial_id: problem for trial, problem in status.corrupt},
        "running": {trial.trial_id: holder for trial, holder in status.running},
        "missing": [trial.trial_id for trial in status.missing],
    }
