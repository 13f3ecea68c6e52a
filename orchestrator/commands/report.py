"""Write every table and figure of a store, and one page that shows them all."""

from typing import Any

import click
from rich.console import Console

from orchestrator.commands._options import fixed_pair, store_option, tracking_option, usable_tracking
from orchestrator.mlflow_parents import show_in_mlflow
from results.metrics import METRICS
from results.missing_protocols import MISSING_PROTOCOLS
from results.options import Options
from results.published import PAPERS
from results.render import to_markdown
from results.report import Report
from results.rules import RULES
from results.schema import ROUTES

__all__ = ["command"]

_DEFAULT = Options()


@click.command()
@store_option
@click.option(
    "--also", "others", multiple=True, metavar="STORE", help="Read this store too; can be given several times."
)
@click.option("--out", default="mmpt-report", show_default=True, help="Folder to write into.")
@click.option("--table", "tables", multiple=True, help="Only this table; can be given several times.")
@click.option("--figure", "figures", multiple=True, help="Only this figure; can be given several times.")
@click.option("--metric", default=_DEFAULT.metric, show_default=True, help=f"One of {', '.join(METRICS)}.")
@click.option("--route", default=_DEFAULT.route, show_default=True, help=f"One of {', '.join(ROUTES)}.")
@click.option("--rule", default=_DEFAULT.rule, show_default=True, help=f"Selection: one of {', '.join(RULES)}.")
@click.option("--fix", "fixed", multiple=True, metavar="AXIS=VALUE", help="With --rule fixed: keep only this value.")
@click.option("--allow-oracle", is_flag=True, help="Permit --rule oracle_test; every caption will say so.")
@click.option("--compare", default="", help=f"Published numbers beside yours: one of {', '.join(PAPERS)}.")
@click.option(
    "--missing",
    default=_DEFAULT.missing,
    show_default=True,
    help=f"How modalities go missing at test time: one of {', '.join(MISSING_PROTOCOLS)}.",
)
@click.option("--draws", "num_draws", default=_DEFAULT.num_draws, show_default=True, help="Draws of absent modalities.")
@click.option(
    "--resamples",
    "num_resamples",
    default=_DEFAULT.num_resamples,
    show_default=True,
    help="Bootstrap resamples; 0: none.",
)
@click.option("--show", is_flag=True, help="Print the profile table here as well.")
@click.option("--track", is_flag=True, help="Also put page, figures and tables under the sweeps in MLflow.")
@tracking_option
def command(
    store: str,
    others: tuple[str, ...],
    out: str,
    tables: tuple[str, ...],
    figures: tuple[str, ...],
    fixed: tuple[str, ...],
    *,
    show: bool,
    track: bool,
    tracking_uri: str | None,
    **options: Any,
) -> int:
    """Write the tables (Markdown, LaTeX, CSV, JSON, Parquet) and figures (SVG, PNG) of a store, and an index.html.

    \b
      mmpt report --store mmpt-store --out mmpt-report
      mmpt report --metric accuracy --route head --table mmpt_profile --show
      mmpt report --rule fixed --fix learning_rate=0.001 --fix batch_size=64
      mmpt report --compare mmpt
      mmpt report --missing gcnet --metric accuracy --table robustness
      mmpt report --track
    """
    report = Report([store, *others], Options(**options, fixed=tuple(map(fixed_pair, fixed))))
    # Asking for one kind means only that; asking for nothing means everything.
    everything = not (tables or figures)
    page = report.write(out, None if everything else tables, None if everything else figures)
    for line in report.left_out():
        click.echo(f"mmpt: {line}", err=True)
    console = Console()
    if show:
        for table in report.build(["mmpt_profile"], [])[0]:
            console.print(to_markdown(table), highlight=False, markup=False, soft_wrap=True)
    console.print(f"report    {page}   (open it in a browser; it needs no network)", highlight=False, soft_wrap=True)
    if track:
        shown = show_in_mlflow(report, page.parent, usable_tracking(tracking_uri, report.roots[0]))
        console.print(f"tracking  below {', '.join(shown)}", highlight=False, soft_wrap=True)
    return 0
