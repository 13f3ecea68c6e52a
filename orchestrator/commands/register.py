"""Put the best trial of a store into MLflow's model registry, ready to predict with modalities missing."""

from typing import Any

import click
from rich.console import Console

from orchestrator.commands._options import fixed_pair, store_option, tracking_option, usable_tracking
from orchestrator.registration import Registered, register
from orchestrator.sweep import Sweep
from orchestrator.tracking_uri import redact
from results.data import load
from results.files import StoreError, absolute_root
from results.metrics import METRICS
from results.options import Options
from results.rules import RULES
from results.schema import ROUTES
from results.store import Store
from results.winner import Winner, winner
from search_spaces.errors import InvalidValueError, MmptError
from search_spaces.modality import FULL

__all__ = ["command"]

_DEFAULT = Options()


@click.command()
@store_option
@tracking_option
@click.option("--rule", default=_DEFAULT.rule, show_default=True, help=f"Selection: one of {', '.join(RULES)}.")
@click.option("--fix", "fixed", multiple=True, metavar="AXIS=VALUE", help="With --rule fixed: keep only this value.")
@click.option("--allow-oracle", is_flag=True, help="Permit --rule oracle_test.")
@click.option("--metric", default=_DEFAULT.metric, show_default=True, help=f"One of {', '.join(METRICS)}.")
@click.option(
    "--route", default=_DEFAULT.route, show_default=True, help=f"How it predicts: one of {', '.join(ROUTES)}."
)
@click.option("--pattern", default=FULL, show_default=True, help="Modalities that score: all, or for instance audio.")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Choose among these: dataset, fusion, p_train, missing, method, fingerprint. Can be given several times.",
)
@click.option("--name", help="Name of the registered model; by default mmpt-<data set>.")
@click.option("--train", is_flag=True, help="If its weights were not kept, train it again and keep them.")
def command(
    store: str,
    conditions: tuple[str, ...],
    fixed: tuple[str, ...],
    pattern: str,
    name: str | None,
    *,
    train: bool,
    **options: Any,
) -> int:
    """Choose a trial by a named rule and register its weights with a model that MLflow's pyfunc loads.

    \b
      mmpt register --store mmpt-store --train
      mmpt register --where method=mtl --where p_train=audio:0.3 --pattern image
    """
    opened = Store(absolute_root(store))
    if not opened.files.exists("store.json"):
        raise StoreError(f"there is no store at {opened.root!r}")
    uri = usable_tracking(options.pop("tracking_uri"), opened.root)
    chosen_options = Options(**options, fixed=tuple(map(fixed_pair, fixed)))
    chosen = winner(load(opened), chosen_options, dict(map(_condition, conditions)), pattern)
    _provide_weights(opened, chosen, train=train)
    rule, route = chosen_options.rule, chosen_options.route
    made = register(opened, uri, chosen, rule=rule, route=route, name=name)
    _say(made, chosen, chosen_options, uri)
    return 0


def _provide_weights(store: Store, chosen: Winner, *, train: bool) -> None:
    """Train a trial again if its weights were not kept; equal specs give equal numbers.

    Raises:
        MmptError: that was not asked for, or the installed code would train another trial.
    """
    if chosen.trial_id in store.model_ids():
        return
    if not train:
        raise MmptError(
            f"the weights of trial {chosen.trial_id}, which rule and scores choose, were not kept: `mmpt register "
            "--train` trains it again and keeps them; `mmpt run --keep-models` keeps them from the start"
        )
    sweep = Sweep([store.read_trial(chosen.trial_id).spec], store=store.root, tracking="none", keep_models=True)
    if chosen.trial_id not in {trial.trial_id for trial in sweep.plan().trials}:
        raise MmptError(f"trial {chosen.trial_id} was trained by another version of the program: it cannot be repeated")
    outcome = sweep.run(inline=True)
    if outcome.failed:
        raise MmptError(f"training failed: {next(iter(outcome.failed.values()))}")


def _condition(text: str) -> tuple[str, str]:
    field, found, value = text.partition("=")
    if not found:
        raise InvalidValueError("--where", text, "FIELD=VALUE, for instance method=mtl")
    return field, value


def _say(made: Registered, chosen: Winner, options: Options, uri: str) -> None:
    said = "" if made.new else ", which it was already"
    score = f"{options.metric} {chosen.score:.3f} on {RULES[options.rule].split}"
    lines = [
        f"trial     {chosen.trial_id}: {chosen.group.method}, {chosen.group.fusion} fusion, {score}, {chosen.pattern}",
        f"model     {made.name} version {made.version}{said}",
        f'load      mlflow.set_tracking_uri("{redact(uri)}"); mlflow.pyfunc.load_model("{made.uri}")',
    ]
    Console().print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
