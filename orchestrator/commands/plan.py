"""Show what a preset would train and what it would cost, without writing anything."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from orchestrator.commands._options import narrowed_grid, preset_options, store_option
from orchestrator.estimate import Cost, cost_of
from orchestrator.plan import Plan
from orchestrator.sweep import Sweep

__all__ = ["command"]


@click.command()
@preset_options
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print every trial as JSON.")
def command(preset: str, settings: tuple[str, ...], seeds: int | None, store: str, as_json: bool) -> int:
    """Show PRESET's trials by method: cached, new, and waiting for others; and the estimated cost.

    \b
      mmpt plan quickstart
      mmpt plan quickstart --set seed=0,1,2,3,4 --json
    """
    plan = Sweep(narrowed_grid(preset, settings, seeds), store=store, name=preset, tracking="none").plan()
    cost = cost_of(plan)
    if as_json:
        click.echo(json.dumps(_as_json(plan, cost), indent=1))
        return 0
    console = Console()
    console.print(_by_method(plan))
    console.print("\n".join(_summary(plan, cost)), highlight=False, soft_wrap=True)
    return 0


def _by_method(plan: Plan) -> Table:
    counts = Counter((trial.spec.dataset, trial.spec.method, trial.state) for trial in plan.trials)
    requires = {trial.spec.method: ", ".join(sorted(trial.requires)) for trial in plan.trials if trial.requires}
    table = Table(title=f"{plan.name}: {len(plan.trials)} trials", title_justify="left")
    for column in ("data set", "method", "cached", "new", "waiting", "requires"):
        table.add_column(column, justify="right" if column in ("cached", "new", "waiting") else "left")
    for dataset, method in sorted({key[:2] for key in counts}):
        numbers = [str(counts[dataset, method, state]) for state in ("done", "new", "waiting")]
        table.add_row(dataset, method, *numbers, requires.get(method, ""))
    return table


def _summary(plan: Plan, cost: Cost) -> list[str]:
    if not plan.todo:
        return ["nothing to train: every trial is in the store"]
    if cost.hours is None:
        time = f"no estimate yet: no finished trial of {', '.join(cost.unknown)}"
    else:
        time = f"about {cost.hours:.2f} core- or GPU-hours, from past trials of the same kind"
    return [f"{len(plan.todo)} to train; {time}; about {cost.megabytes:.1f} MB on disk"]


def _as_json(plan: Plan, cost: Cost) -> dict[str, Any]:
    trials = [
        {
            "trial_id": trial.trial_id,
            "state": trial.state,
            "requested": trial.requested,
            "requires": dict(trial.requires),
            "seconds": trial.seconds,
            "spec": trial.spec.to_config(),
        }
        for trial in plan.trials
    ]
    return {"name": plan.name, "cost": asdict(cost), "trials": trials}
