"""The leaderboard: methods by their average rank over all data sets, with Friedman's and Nemenyi's tests."""

from results.cells import Cell, empty
from results.data import StoreData
from results.layout import NO_COMPLETE_DATA
from results.options import Options
from results.standings import Standing, standing_caption, standings
from results.statistics import mean
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table

__all__ = ["build"]

_TITLES = {"all": "All modalities available", "single": "Each modality alone"}


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return two tables per fusion: by the score with all modalities, and by the mean over each modality alone.

    A data set counts once, by its version with the most trials; only trials with p_train = 0.
    """
    systems = systems_of(data, options)
    tables = [_table(systems, standing) for standing in standings(systems)]
    return tables or Nothing(NO_COMPLETE_DATA)


def _table(systems: Systems, standing: Standing) -> Table:
    title = _TITLES[standing.kind]
    ranked = list(standing.ranking.average_ranks)
    methods = [*ranked, *sorted(set(standing.scores).difference(ranked))]
    unranked = " Below the ranked methods: those without a score on some of the data sets." * (
        len(methods) > len(ranked)
    )
    return Table(
        name=f"leaderboard_{standing.fusion}_{standing.kind}",
        title=f"Leaderboard, {standing.fusion} fusion: {title.lower()}",
        caption=f"{standing_caption(systems, standing)} Mean score: over the data sets that count. Wins: data sets on "
        f"which no ranked method is better.{unranked}",
        columns=(
            Column(title, "Average rank", percent=False, digits=2),
            Column(title, "Mean score"),
            Column(title, "Data sets", percent=False, digits=0),
            Column(title, "Wins", percent=False, digits=0),
        ),
        rows=tuple(
            Row(
                systems.data.title("method", method),
                _cells(systems, standing, method),
                key=method,
                rule=place == len(ranked) > 0,
            )
            for place, method in enumerate(methods)
        ),
        about={**vars(systems.options), **standing.about()},
    )


def _cells(systems: Systems, standing: Standing, method: str) -> tuple[Cell, ...]:
    origin, scores = standing.origin(systems, method), standing.scores[method]
    if method not in standing.ranking.average_ranks:
        titles = [systems.data.title("dataset", name) for name in standing.datasets if name not in scores]
        name = systems.data.title("method", method)
        absent = empty(f"{name} has no score on {', '.join(titles) or 'any data set'}, so it is not ranked")
        return absent, absent, Cell(value=len(scores), origin=origin), absent
    values = (
        standing.ranking.average_ranks[method],
        mean(scores[name] for name in standing.datasets),
        len(standing.datasets),
        standing.wins(method),
    )
    return tuple(Cell(value=float(value), origin=origin) for value in values)
