"""Which methods differ over all data sets: average ranks, and bars that join methods that do not (Demsar's diagram)."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from results.data import StoreData
from results.drawing import Drawing
from results.options import Options
from results.panels import blank
from results.ranks import Ranking
from results.standings import Standing, standing_caption, standings
from results.systems import Systems, systems_of
from results.table import Nothing

__all__ = ["build"]

_AXIS = 3.4  # inches
_LINE = 0.2  # inches between two names; bars are twice as close
_TEXT: Mapping[str, Any] = {"fontsize": 8}
_LETTER = 0.066  # inches, of that size on average
_LEAST_MARGIN = 0.7  # inches; the critical difference can be a fifth longer than the axis
_MOST_TICKS = 15
_BAR_OVERHANG = 0.008  # in widths of the axis, so that a bar that joins equal ranks can be seen


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per fusion, ranked by the score with all modalities; from trials with p_train = 0."""
    systems = systems_of(data, options)
    found = [standing for standing in standings(systems) if standing.kind == "all"]
    reasons = [f"{standing.fusion} fusion: {standing.ranking.reason}" for standing in found if standing.ranking.reason]
    drawings = [_drawing(systems, standing) for standing in found if not standing.ranking.reason]
    return drawings or Nothing("; ".join(reasons) or "no finished trial with p_train = 0 that has all modalities")


def _drawing(systems: Systems, standing: Standing) -> Drawing:
    ranking, title = standing.ranking, systems.data.title
    names = [f"{title('method', method)}  {rank:.2f}" for method, rank in ranking.average_ranks.items()]
    half = (len(names) + 1) // 2
    margins = [max(_LEAST_MARGIN, _LETTER * (3 + max(map(len, own)))) for own in (names[:half], names[half:])]
    depth = half + len(ranking.alike) / 2
    figure, ((panel,),) = blank(1, width=_AXIS + sum(margins), height=_LINE * (depth + 5))
    panel.set(xlim=(-margins[0] / _AXIS, 1 + margins[1] / _AXIS), ylim=(depth + 1, -3.5))
    panel.axis("off")
    _ruler(panel, ranking)
    _names(panel, ranking, names)
    for place, alike in enumerate(ranking.alike):
        ends = [_place(ranking, ranking.average_ranks[method]) for method in (alike[0], alike[-1])]
        height = 0.5 + place / 2
        panel.plot([ends[0] - _BAR_OVERHANG, ends[1] + _BAR_OVERHANG], [height] * 2, color="0", linewidth=3)
    return Drawing(
        f"critical_difference_{standing.fusion}",
        f"Which methods differ over {len(standing.datasets)} data sets, {standing.fusion} fusion",
        f"{standing_caption(systems, standing)} Best on the left. A thick bar joins methods of which no two differ "
        "significantly; the bar above the axis is as long as the critical difference.",
        figure,
        points=tuple(_point(systems, standing, method) for method in ranking.average_ranks),
    )


def _place(ranking: Ranking, rank: float) -> float:
    """Return where a rank stands on the axis, from 0 to 1."""
    return (rank - 1) / (len(ranking.average_ranks) - 1)


def _ruler(panel: Axes, ranking: Ranking) -> None:
    """Draw the axis of the ranks, and the critical difference above it."""
    panel.plot([0, 1], [0, 0], color="0", linewidth=0.8)
    every = 1 + (len(ranking.average_ranks) - 1) // _MOST_TICKS
    for rank in range(1, len(ranking.average_ranks) + 1):
        panel.plot([_place(ranking, rank)] * 2, [-0.35, 0], color="0", linewidth=0.8)
        if (rank - 1) % every == 0:
            panel.text(_place(ranking, rank), -0.5, str(rank), ha="center", va="bottom", **_TEXT)
    distance = ranking.critical_difference or 0.0
    end = _place(ranking, 1 + distance)
    panel.plot([0, 0, 0, end, end, end], [-2.1, -1.7, -1.9, -1.9, -2.1, -1.7], color="0", linewidth=0.8)
    panel.text(end / 2, -2.2, f"critical difference {distance:.2f}", ha="center", va="bottom", **_TEXT)


def _names(panel: Axes, ranking: Ranking, names: Sequence[str]) -> None:
    """Draw a line from each rank on the axis to its name: the better half on the left, the others on the right."""
    half = (len(names) + 1) // 2
    for number, (name, rank) in enumerate(zip(names, ranking.average_ranks.values(), strict=True)):
        left = number < half
        depth = 1 + len(ranking.alike) / 2 + (number if left else len(names) - 1 - number)
        place, edge = _place(ranking, rank), -0.02 if left else 1.02
        panel.plot([place, place, edge], [0, depth, depth], color="0.35", linewidth=0.8, zorder=1)
        panel.text(edge + (-0.01 if left else 0.01), depth, name, ha="right" if left else "left", va="center", **_TEXT)


def _point(systems: Systems, standing: Standing, method: str) -> dict[str, object]:
    origin = standing.origin(systems, method)
    return {
        "method": method,
        "average_rank": standing.ranking.average_ranks[method],
        "critical_difference": standing.ranking.critical_difference,
        "alike": [group for group in standing.ranking.alike if method in group],
        "trial_ids": origin.trial_ids,
        "seeds": origin.seeds,
    }
