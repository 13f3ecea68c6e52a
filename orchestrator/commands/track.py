"""Write what MLflow still lacks, from stores alone; safe to repeat."""

import click
from rich.console import Console

from orchestrator import tracking
from orchestrator.commands._options import tracking_option
from orchestrator.mlflow_parents import show_data_sets
from orchestrator.tracking_check import check_tracking
from orchestrator.tracking_uri import DISABLED
from results.files import StoreError, absolute_root
from results.store import Store
from search_spaces.errors import InvalidValueError

__all__ = ["command"]


@click.command()
@click.option(
    "--store",
    "stores",
    multiple=True,
    default=["mmpt-store"],
    show_default=True,
    help="Folder or bucket URL of the results; can be given several times.",
)
@tracking_option
@click.option("--sweep", help="Name of the sweep in MLflow; by default the name under which the trials were run.")
def command(stores: tuple[str, ...], tracking_uri: str | None, sweep: str | None) -> int:
    """Bring MLflow up to date with stores: runs that are missing or incomplete are written, others left alone.

    Sweeps of one name become one, a trial that several stores have is shown once, and as failed only if none of them
    has finished it.

    \b
      mmpt track --store mmpt-store --tracking-uri http://127.0.0.1:5000
      mmpt track --store /data/ann --store s3://bucket/ben --tracking-uri http://127.0.0.1:5000
    """
    opened = [_opened(store) for store in stores]
    if len(opened) > 1 and tracking_uri is None:
        raise InvalidValueError("tracking URI", None, "one for all stores: give --tracking-uri")
    uri = tracking.tracking_uri(tracking_uri, opened[0].root)
    if uri == DISABLED:
        raise InvalidValueError("tracking URI", DISABLED, "where to write; there is nothing to do without one")
    check_tracking(uri)
    done = frozenset().union(*(store.done_ids() for store in opened)) if len(opened) > 1 else frozenset()
    errors = [_track(store, uri, sweep, done) for store in opened]
    return 1 if any(errors) else 0


def _opened(store: str) -> Store:
    opened = Store(absolute_root(store))
    if not opened.files.exists("store.json"):
        raise StoreError(f"there is no store at {opened.root!r}")
    return opened


def _track(store: Store, uri: str, sweep: str | None, done: frozenset[str]) -> str | None:
    """Write one store and say so; return the first error."""
    summary = tracking.track(store.root, uri, sweep=sweep, done_elsewhere=done)
    Console().print(str(summary), highlight=False, soft_wrap=True)
    if not summary.error:
        show_data_sets(store, uri)
    return summary.error
