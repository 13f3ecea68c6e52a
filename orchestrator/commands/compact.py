"""Fold finished trials' folders into few big files, so that large stores are read in seconds."""

import click
from rich.console import Console

from orchestrator.commands._options import store_option
from results.compact import compact
from results.files import StoreError, absolute_root
from results.store import Store

__all__ = ["command"]


@click.command()
@store_option
@click.option("--keep-folders", is_flag=True, help="Do not remove the folders of trials that are compacted.")
def command(store: str, keep_folders: bool) -> int:
    """Move the trials of a store from folders of their own into compacted/; reports and sweeps see no difference.

    It can be interrupted, repeated, and called while a sweep writes into the store. Damaged trials are left alone and
    named; then the exit code is 1.

    \b
      mmpt compact --store mmpt-store
      mmpt compact --store s3://bucket/sweeps --keep-folders
    """
    opened = Store(absolute_root(store))
    if not opened.files.exists("store.json"):
        raise StoreError(f"there is no store at {opened.root!r}")
    done = compact(opened, keep_folders=keep_folders)
    for trial_id, why in done.left_alone.items():
        click.echo(f"mmpt: left alone: {trial_id}: {why}", err=True)
    said = f"{done.trials} trials compacted into {len(done.parts)} parts, {done.removed} folders removed"
    Console().print(said, highlight=False, soft_wrap=True)
    return 1 if done.left_alone else 0
