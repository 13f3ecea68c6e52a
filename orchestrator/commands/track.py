"""Write what MLflow still lacks, from the store alone; safe to repeat."""

import click
from rich.console import Console

from orchestrator import tracking
from orchestrator.commands._options import store_option, tracking_option
from orchestrator.tracking_check import check_tracking
from orchestrator.tracking_uri import DISABLED
from results.files import StoreError, absolute_root
from results.store import Store
from search_spaces.errors import InvalidValueError

__all__ = ["command"]


@click.command()
@store_option
@tracking_option
@click.option("--sweep", help="Name of the sweep in MLflow; by default the name under which the trials were run.")
def command(store: str, tracking_uri: str | None, sweep: str | None) -> int:
    """Bring MLflow up to date with the store: runs that are missing or incomplete are written, others left alone.

    \b
      mmpt track --store mmpt-store --tracking-uri http://127.0.0.1:5000
    """
    opened = Store(absolute_root(store))
    if not opened.files.exists("store.json"):
        raise StoreError(f"there is no store at {opened.root!r}")
    root, uri = opened.root, tracking.tracking_uri(tracking_uri, opened.root)
    if uri == DISABLED:
        raise InvalidValueError("tracking URI", DISABLED, "where to write; there is nothing to do without one")
    check_tracking(uri)
    summary = tracking.track(root, uri, sweep=sweep)
    Console().print(str(summary), highlight=False, soft_wrap=True)
    return 1 if summary.error else 0
