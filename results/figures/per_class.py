"""F1 of each class with all modalities and with each one missing (as U2A's figures 3, 5 and 6)."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from results.class_scores import NOTHING, ClassScores, best_of, class_scores
from results.data import StoreData
from results.drawing import Drawing
from results.layout import blocks_of_complete_data, caption, dataset_title, split_of_selection
from results.options import Options
from results.panels import blank, legend_below, line_style, open_panel
from results.systems import Systems, systems_of
from results.table import Nothing

__all__ = ["build"]

_MOST_CLASSES = 30
_LONGEST_NAME = 26
_MOST_NAMED = 8
_INCHES_PER_CLASS, _INCHES_AROUND = 0.16, 0.75
_COMPLETE = {"color": "k", "marker": "|", "markersize": 8, "markeredgewidth": 1.6, "linestyle": "none"}


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set and fusion, of the method, trained on all data, that is best on validation."""
    systems = systems_of(data, options)
    found = [best_of(systems, groups) for groups in blocks_of_complete_data(systems)]
    drawings = [_drawing(systems, class_scores(systems, system)) for system in found if system is not None]
    return drawings or Nothing("no finished trial with p_train = 0 that predicts with any one modality missing")


def _drawing(systems: Systems, scores: ClassScores) -> Drawing:
    group, order = scores.system.group, scores.order
    half = _MOST_CLASSES // 2
    halves = [order] if len(order) <= _MOST_CLASSES else [order[:half], order[-half:]]
    heights = [_INCHES_PER_CLASS * (len(part) + 1) for part in halves]
    figure, panels = blank(1, len(halves), width=3.5, heights=heights, around=_INCHES_AROUND)
    for (panel,), part in zip(panels, halves, strict=True):
        _dots(panel, scores, part)
    open_panel(panels[-1][0], across="F1 (%)")
    legend_below(figure)
    where = f"{dataset_title(systems.data, group, systems.groups)}, {group.fusion} fusion"
    title = f"F1 per class of {systems.data.title('method', group.method)} on {where}"
    name = f"per_class_{group.dataset}_{group.fingerprint[:8]}_{group.fusion}"
    points = tuple(_point(scores, place) for place in order)
    return Drawing(name, title, _caption(systems, scores, len(halves) > 1), figure, points=points)


def _dots(panel: Axes, scores: ClassScores, part: list[int]) -> None:
    heights = range(len(part))
    values = {missing: [100 * found[place] for place in part] for missing, found in scores.means.items()}
    ends = list(zip(*values.values(), strict=True))
    panel.hlines(heights, [min(each) for each in ends], [max(each) for each in ends], color="0.8", linewidth=1.2)
    for index, (missing, found) in enumerate(values.items()):
        look = _COMPLETE if missing == NOTHING else {**line_style(index - 1), "linestyle": "none", "markersize": 4}
        label = f"{missing.replace('_', ' ')} missing" if missing else "all modalities"
        panel.plot(found, heights, label=label, **look)
    panel.set(yticks=heights, yticklabels=[_short(scores.names[place]) for place in part], xlim=(-2, 102))
    panel.set_ylim(len(part) - 0.5, -0.5)
    open_panel(panel)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _caption(systems: Systems, scores: ClassScores, shortened: bool) -> str:
    seeds = {seed for pick in scores.picks.values() for seed in pick.seeds}
    method = systems.data.title("method", scores.system.group.method)
    half = _MOST_CLASSES // 2
    shown = (
        f"Shown are the {half} classes that lose most, and in the lower panel the {half} that lose least, of "
        f"{len(scores.order)}; the JSON file has all of them."
    )
    split = split_of_selection(systems.options)
    sentences = [
        caption(systems, [scores.system.group], seeds, what="Test F1 of each class in percent, the mean over seeds"),
        f"{method} is the method that does best on {split} with all modalities, of those trained on complete data.",
        "Classes are sorted by how much F1 they lose when the modality that they depend on most is missing.",
        shown if shortened else "",
        f"Without a test sample, and not shown: {_list(scores.absent)}." if scores.absent else "",
    ]
    return " ".join(filter(None, sentences))


def _list(names: Sequence[str]) -> str:
    named = ", ".join(names[:_MOST_NAMED])
    return f"{named} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else named


def _point(scores: ClassScores, place: int) -> dict[str, Any]:
    return {
        "class": scores.names[place],
        "method": scores.system.group.method,
        "f1_without": {missing or "nothing": values[:, place].tolist() for missing, values in scores.values.items()},
        "trial_ids": {missing or "nothing": pick.trial_ids for missing, pick in scores.picks.items()},
    }
