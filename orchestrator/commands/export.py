"""Copy a store with an MLflow database into a folder for a machine without network."""

from pathlib import Path

import click
from rich.console import Console

from orchestrator.commands._options import store_option
from orchestrator.export import export
from orchestrator.mlflow_parents import REPORT
from results.files import StoreError, absolute_root
from results.store import Store

__all__ = ["command"]


@click.command()
@store_option
@click.option("--out", required=True, help="Folder to write into: new, empty or an earlier export.")
@click.option("--report", is_flag=True, help="Also write the report, into OUT/report.")
def command(store: str, out: str, report: bool) -> int:
    """Write all finished and failed trials as compacted Parquet, with an SQLite file of them for MLflow.

    The folder is a store: wherever it is carried, `mmpt ui --store` shows it, `mmpt track --store` brings it to a
    server and `mmpt report --store` makes tables of it. Weights stay behind. Repeat it to bring it up to date.

    \b
      mmpt export --store s3://bucket/sweeps --out /data/carried --report
      mmpt ui --store /data/carried
    """
    opened, folder = Store(absolute_root(store)), Path(absolute_root(out))
    if not opened.files.exists("store.json"):
        raise StoreError(f"there is no store at {opened.root!r}")
    done = export(opened, folder, report=report)
    for trial_id, why in done.damaged.items():
        click.echo(f"mmpt: left out: {trial_id}: {why}", err=True)
    lines = [f"copied    {done.copied} trials into {folder}", f"tracking  {done.tracked}"]
    if report:
        lines.append(f"report    {folder / REPORT / 'index.html'}")
    lines.append(f"look      mmpt ui --store {folder}")
    Console().print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
    return 1 if done.damaged or done.tracked.error else 0
