"""Serve a store's MLflow pages on this machine until Ctrl-C."""

from pathlib import Path

import click
from rich.console import Console

from orchestrator.commands._options import store_option
from orchestrator.mlflow_server import LOOPBACK, is_loopback, serving
from orchestrator.tracking_check import check_tracking
from orchestrator.tracking_uri import tracking_uri
from results.files import StoreError, absolute_root
from results.store import Store
from search_spaces.errors import MmptError

__all__ = ["command"]


@click.command()
@store_option
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Network interface; 0.0.0.0 lets everyone in.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="Processes that answer.")
def command(store: str, port: int, host: str, workers: int) -> int:
    """Start MLflow's server over the store's own database and print the link.

    \b
      mmpt ui --store mmpt-store
      mmpt ui --store mmpt-store --port 0
      mmpt ui --host 0.0.0.0 --port 8080
    """
    opened = Store(absolute_root(store))
    if not opened.files.is_local:
        raise StoreError(f"store {opened.root!r} is no folder: its sweeps are on the server that they were tracked to")
    if not opened.files.exists("store.json"):
        raise StoreError(f"there is no store at {opened.root!r}")
    if not opened.files.exists("mlflow.db"):
        raise MmptError(f"nothing of {opened.root!r} is in MLflow yet: `mmpt track --store {store}` writes it")
    check_tracking(tracking_uri(None, opened.root))
    console = Console()
    if not is_loopback(host):
        warning = f"warning: whoever reaches {host} can read, change and delete all of it; there is no password"
        click.echo(f"mmpt: {warning}", err=True)
    with serving(Path(opened.root), host=host, port=port, workers=workers) as server:
        try:
            console.print(f"MLflow    {server.address}   (Ctrl-C ends it)", highlight=False, soft_wrap=True)
            code = server.process.wait()
        except KeyboardInterrupt:
            return 0
    raise MmptError(f"MLflow's server ended by itself (exit code {code})")
