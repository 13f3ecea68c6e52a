"""Show one thing in detail: a preset, method or data set by name, or a trial by its id."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import click
from rich.console import Console

from orchestrator.commands._options import store_option
from orchestrator.dataset_cards import dataset_card, found_lines
from orchestrator.method_cards import card_text
from results.files import absolute_root
from results.store import Store
from search_spaces.errors import UnknownNameError
from search_spaces.presets import PRESETS
from trainables.catalogs import DATASETS, METHODS
from trainables.each_modality import spread_modalities

__all__ = ["command"]


@click.command()
@click.argument("name")
@store_option
def command(name: str, store: str) -> int:
    """Show the preset, method or data set called NAME, or the trial with that id (or the start of it).

    \b
      mmpt show quickstart
      mmpt show mtl
      mmpt show av_digits
      mmpt show 3fb2c0 --store mmpt-store
    """
    console = Console()
    for catalog, describe in _CATALOGS.items():
        if name in catalog:
            console.print(describe(name), highlight=False, markup=False)
            return 0
    results = Store(absolute_root(store))
    corrupt = results.corrupt()
    known = sorted(results.done_ids() | set(results.failures()) | set(corrupt))
    matches = [trial_id for trial_id in known if trial_id.startswith(name)]
    if len(matches) != 1:
        names = [key for catalog in _CATALOGS for key in catalog.names()]
        raise UnknownNameError("name or trial", name, [*names, *matches])
    text = corrupt.get(matches[0]) or _trial(results, matches[0])
    console.print(text, highlight=False, markup=False)
    return 0


def _preset(name: str) -> str:
    preset = PRESETS.get(name)
    axes = ", ".join(preset.grid.axis_names())
    resources = ", ".join(f"{key} {value}" for key, value in preset.resources.items())
    return (
        f"{name}: {preset.title}\n\n{preset.about}\n\n"
        f"{len(spread_modalities(preset.grid))} trials; axes: {axes}; per trial: {resources}"
    )


def _dataset(name: str) -> str:
    return "\n".join([dataset_card(name), "", *found_lines(name)]).rstrip()


def _trial(store: Store, trial_id: str) -> str:
    failure = store.failures().get(trial_id)
    if failure:
        return f"{trial_id} failed: {failure.error}\n\n{json.dumps(failure.spec, indent=1)}\n\n{failure.traceback}"
    record = store.read_trial(trial_id)
    facts = record.history[record.history["epoch"].isna()]
    lines = [f"  {row.name}: {row.value:g}" for row in facts.itertuples()]
    return "\n".join([trial_id, json.dumps(record.spec.to_config(), indent=1), *lines])


_CATALOGS: Mapping[Any, Callable[[str], str]] = {PRESETS: _preset, METHODS: card_text, DATASETS: _dataset}
