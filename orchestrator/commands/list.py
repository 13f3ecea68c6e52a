"""List what there is: presets, methods, datasets, encoders, missing protocols, tables, figures and so on."""

import inspect
from collections.abc import Callable, Mapping

import click
from rich.console import Console
from rich.table import Table

from results.figures import FIGURES
from results.metrics import METRICS
from results.missing_protocols import MISSING_PROTOCOLS
from results.rules import RULES
from results.tables import TABLES
from search_spaces.presets import PRESETS
from trainables.catalogs import DATASETS, FUSIONS, METHODS
from trainables.encoder_names import backbone_names, encoder_names

__all__ = ["command"]


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]


_KINDS: Mapping[str, Callable[[], dict[str, str]]] = {
    "presets": lambda: {key: preset.title for key, preset in PRESETS.items()},
    "methods": lambda: {key: method.card.idea for key, method in METHODS.items()},
    "datasets": lambda: {key: f"{one.card.title}: {one.card.task}" for key, one in DATASETS.items()},
    "encoders": lambda: dict.fromkeys(encoder_names(), ""),
    "backbones": lambda: dict.fromkeys(backbone_names(), ""),
    "fusions": lambda: {key: _first_line(fusion) for key, fusion in FUSIONS.items()},
    "missing": lambda: {key: protocol.sentence for key, protocol in MISSING_PROTOCOLS.items()},
    "tables": lambda: {key: _first_line(inspect.getmodule(table)) for key, table in TABLES.items()},
    "figures": lambda: {key: _first_line(inspect.getmodule(figure)) for key, figure in FIGURES.items()},
    "rules": lambda: {key: rule.sentence for key, rule in RULES.items()},
    "metrics": lambda: {key: metric.title for key, metric in METRICS.items()},
}


@click.command()
@click.argument("kind", type=click.Choice(list(_KINDS)), default="presets")
def command(kind: str) -> int:
    """List everything of one KIND by the name that other commands take.

    \b
      mmpt list methods
    """
    table = Table(show_header=False, box=None)
    for key, about in _KINDS[kind]().items():
        table.add_row(key, about)
    Console().print(table, highlight=False)
    return 0
