"""Training loss and validation score against the epoch, one line per method."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from matplotlib.ticker import MaxNLocator

from results.candidates import Group
from results.data import StoreData
from results.drawing import Drawing
from results.layout import blocks_of_complete_data, caption, dataset_title, methods_in_order
from results.lines import draw_line, method_style
from results.metrics import metric_named
from results.options import Options
from results.panels import blank, legend_below, open_panel
from results.selection import Pick
from results.systems import Systems, systems_of
from results.table import Nothing
from search_spaces.modality import Pattern

__all__ = ["build"]

_LOSS = "train/joint"
_RECORDED = ("macro_f1", "accuracy")  # of validation, in every epoch; training chooses its best epoch by the first
_MARKERS = 8  # on a line


class _Lines(NamedTuple):
    """A method's curves: per epoch one value for each seed, up to the first seed's last epoch."""

    group: Group
    pick: Pick
    loss_name: str
    loss: list[list[float]]
    score: list[list[float]]


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set and fusion, of the trials selected for the column with all modalities."""
    systems = systems_of(data, options)
    drawings = [_drawing(systems, groups) for groups in blocks_of_complete_data(systems)]
    found = [drawing for drawing in drawings if drawing is not None]
    return found or Nothing("no finished trial with p_train = 0 that has epochs and predicts from all modalities")


def _drawing(systems: Systems, groups: list[Group]) -> Drawing | None:
    first, by_method = groups[0], {group.method: group for group in groups}
    metric = systems.options.metric if systems.options.metric in _RECORDED else _RECORDED[0]
    every = [_lines(systems, by_method[method], metric) for method in methods_in_order(by_method)]
    found = [one for one in every if one is not None and one.loss]
    if not found:
        return None
    figure, ((left, right),) = blank(2)
    for one in found:
        for panel, values in ((left, one.loss), (right, [[100 * value for value in each] for each in one.score])):
            look = {"markevery": max(1, len(values) // _MARKERS), "label": _title(systems, one.group)}
            draw_line(panel, range(1, len(values) + 1), values, {**method_style(systems, one.group.method), **look})
    open_panel(left, title="training", across="epoch", up="loss")
    open_panel(right, title="validation", across="epoch", up=f"{metric_named(metric).title} (%)")
    for panel in (left, right):
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(figure)
    return Drawing(
        f"learning_curves_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        f"Learning curves on {dataset_title(systems.data, first, systems.groups)}, {first.fusion} fusion",
        _caption(systems, groups, found, metric),
        figure,
        points=tuple(point for one in found for point in _points(one, metric)),
    )


def _lines(systems: Systems, group: Group, metric: str) -> _Lines | None:
    pick = systems.of(group).picks.get(Pattern(systems.modalities(group)).key)
    if pick is None:
        return None
    histories = [systems.data.record(trial_id).history.dropna(subset="epoch") for trial_id in pick.trial_ids]
    terms = [name for name in histories[0]["name"].unique() if name.startswith("train/")]
    name = _LOSS if _LOSS in terms or not terms else terms[0]
    loss, score = (
        [
            dict(zip(own["epoch"].astype(int), own["value"], strict=True))
            for own in (history[history["name"] == wanted] for history in histories)
        ]
        for wanted in (name, f"val/{metric}")
    )
    return _Lines(group, pick, name, _per_epoch(loss), _per_epoch(score))


def _per_epoch(curves: Sequence[dict[int, float]]) -> list[list[float]]:
    shared = takewhile(lambda epoch: all(epoch in one for one in curves), range(1, max(map(len, curves)) + 1))
    return [[one[epoch] for one in curves] for epoch in shared]


def _caption(systems: Systems, groups: list[Group], found: list[_Lines], metric: str) -> str:
    seeds = {seed for one in found for seed in one.pick.seeds}
    shown = {one.group: one.loss_name for one in found}
    others = "; ".join(f"{_title(systems, group)}: {name}" for group, name in shown.items() if name != _LOSS)
    absent = ", ".join(_title(systems, group) for group in groups if group not in shown)
    sentences = [
        f"Training loss, and validation {metric_named(metric).title} in percent by the model itself on any route.",
        "Shown are the trials selected for the column with all modalities, trained on complete data.",
        caption(systems, groups, seeds, what=f"They are selected by {metric_named(systems.options.metric).title}"),
        f"The loss is that of the fused prediction alone ({_LOSS} in a history), without a method's further terms.",
        f"Another term is shown of {others}." if others else "",
        "Bands: standard deviation over seeds. A line ends where its first seed stopped." if len(seeds) > 1 else "",
        f"Not shown, for want of such trials: {absent}." if absent else "",
    ]
    return " ".join(filter(None, sentences))


def _title(systems: Systems, group: Group) -> str:
    return systems.data.title("method", group.method)


def _points(one: _Lines, metric: str) -> list[dict[str, Any]]:
    return [
        {"method": one.group.method, "name": name, "epoch": epoch, "values": found, "trial_ids": one.pick.trial_ids}
        for name, values in ((one.loss_name, one.loss), (f"val/{metric}", one.score))
        for epoch, found in enumerate(values, 1)
    ]
