"""Write every table and figure of a store, and one page that shows them all."""

import click
from rich.console import Console

from orchestrator.commands._options import store_option
from results.curves import Options
from results.files import absolute_root
from results.metrics import METRICS
from results.render import to_markdown
from results.report import Report, build_table
from results.schema import ROUTES
from results.store import Store

__all__ = ["command"]


@click.command()
@store_option
@click.option("--out", default="mmpt-report", show_default=True, help="Folder to write into.")
@click.option("--table", "tables", multiple=True, help="Only this table; can be given several times.")
@click.option("--figure", "figures", multiple=True, help="Only this figure; can be given several times.")
@click.option("--metric", default="macro_f1", show_default=True, help=f"One of {', '.join(METRICS)}.")
@click.option("--route", default="probe", show_default=True, help=f"One of {', '.join(ROUTES)}.")
@click.option("--show", is_flag=True, help="Print the profile table here as well.")
def command(
    store: str, out: str, tables: tuple[str, ...], figures: tuple[str, ...], metric: str, route: str, show: bool
) -> int:
    """Write the tables (Markdown, LaTeX, CSV, JSON) and figures (SVG, PNG) of a store, and an index.html.

    \b
      mmpt report --store mmpt-store --out mmpt-report
      mmpt report --metric accuracy --route head --table mmpt_profile --show
    """
    report = Report(store, Options(metric=metric, route=route))
    # Asking for one kind means only that; asking for nothing means everything.
    everything = not (tables or figures)
    page = report.write(out, None if everything else tables, None if everything else figures)
    for line in report.left_out():
        click.echo(f"mmpt: {line}", err=True)
    console = Console()
    if show:
        for table in build_table(Store(absolute_root(store)), "mmpt_profile", metric=metric, route=route):
            console.print(to_markdown(table), highlight=False, markup=False, soft_wrap=True)
    console.print(f"report    {page}   (open it in a browser; it needs no network)", highlight=False, soft_wrap=True)
    return 0
