"""Check, from every node of a cluster, what a sweep is going to need; exit 1 if something has to be cured first."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.check import Finding, Question, problem
from orchestrator.commands._options import narrowed_grid, store_option, tracking_option
from orchestrator.commands._resources import resource_options, taken_resources
from orchestrator.doctor import examine
from orchestrator.sweep import Sweep
from orchestrator.tracking_uri import tracking_uri as absolute_uri
from results.files import absolute_root
from search_spaces.errors import MmptError
from trainables.cache_root import default_cache_root

__all__ = ["command"]

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@click.argument("preset", required=False)
@store_option
@tracking_option
@click.option("--address", help="Ray cluster: host:port, auto, or http://host:8265 for its dashboard and Ray Jobs.")
@click.option("--set", "settings", multiple=True, metavar="AXIS=V1,V2", help="Replace an axis of PRESET, as for run.")
@resource_options
@click.option("--json", "as_json", is_flag=True, help="Print every finding as JSON.")
def command(
    preset: str | None,
    store: str,
    tracking_uri: str | None,
    address: str | None,
    settings: tuple[str, ...],
    as_json: bool,
    **resources: Any,
) -> int:
    """Check store, versions, clocks, disks, GPUs and MLflow; with PRESET also its data sets and checkpoints.

    Every node is looked at, without --address this machine alone. Nothing is left behind.

    \b
      mmpt doctor
      mmpt doctor --address auto --store /shared/mmpt-store mmpt_late
      mmpt doctor --address http://head:8265 --json
    """
    root = absolute_root(store)
    question = Question(
        store=root, cache=str(default_cache_root()), tracking=absolute_uri(tracking_uri, root), address=address
    )
    wrong: list[Finding] = []
    if preset:
        taken = taken_resources(preset, resources)
        sweep = Sweep(narrowed_grid(preset, settings, None), store=store, tracking=tracking_uri, resources=taken)
        try:
            question = sweep.question(address)
        except MmptError as error:  # what planning trips over is what this command is to find out
            wrong = [replace(problem(str(error), "cure this first, then ask again"), check="trials")]
    findings = [*wrong, *examine(question)]
    fine = all(finding.level != "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": fine, "findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        _show(findings, Console())
    return 0 if fine else 1


def _show(findings: Sequence[Finding], console: Console) -> None:
    """Print one row per finding, the nodes that share it in one."""
    nodes: dict[Finding, list[str]] = defaultdict(list)
    for finding in findings:
        nodes[replace(finding, node="")].append(finding.node)
    table = Table()
    for column in ("check", "", "node", "found"):
        table.add_column(column, overflow="fold")
    for finding, where in nodes.items():
        level = Text(finding.level, style=_COLOURS[finding.level])
        found = Text(f"{finding.what}\ncure: {finding.cure}" if finding.cure else finding.what)
        table.add_row(finding.check, level, Text("\n".join(where)), found)
    console.print(table, highlight=False)
    problems = sum(finding.level == "problem" for finding in findings)
    console.print("no problem found" if not problems else f"{problems} to be cured first", highlight=False)
