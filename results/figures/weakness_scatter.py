"""What the best other method gains on a modality against how weak naive training leaves it (MMPT's table 3, drawn)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from results.candidates import Group
from results.cells import Cell
from results.data import StoreData
from results.drawing import Drawing
from results.layout import dataset_title
from results.metrics import metric_named
from results.options import Options
from results.panels import blank, legend_below, line_style, open_panel
from results.systems import Systems, systems_of
from results.table import Nothing
from results.weakness_gain import NO_NAIVE, gains, meaning, naive_groups, weaknesses

__all__ = ["build"]

_FILLINGS = ("full", "none", "left", "top")
_NARROWEST, _WIDE = 2.0, 12.0  # the axis spans at least half to double; if it spans more than that, powers of ten do
_NEUTRAL = {"linestyle": "none", "marker": "p", "color": "0.3", "markersize": 5}


class _Mark(NamedTuple):
    """One modality of one data set and fusion."""

    group: Group
    title: str
    modality: str
    weakness: Cell
    gain: Cell

    @property
    def labels(self) -> tuple[str, str, str]:
        """Name the entries of the legend that it belongs to: colour, filling, marker."""
        return self.title, f"{self.group.fusion} fusion", f"modality {self.modality.replace('_', ' ')}"

    @property
    def drawn(self) -> bool:
        return bool(self.weakness.value) and self.gain.value is not None  # a score of 0 has no place on a log axis


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure over all data sets and fusions, from the selected naive trials with p_train = 0."""
    systems = systems_of(data, options)
    groups = naive_groups(systems)
    if not groups:
        return Nothing(NO_NAIVE)
    marks = [mark for group in groups for mark in _marks(systems, group, groups)]
    shown = [mark for mark in marks if mark.drawn]
    looks = _looks(shown)
    figure, ((panel,),) = blank(1, width=3.5, height=2.8)
    for mark in shown:
        _draw(panel, mark, {name: value for label in mark.labels for name, value in looks[label].items()})
    _log_axis(panel, [mark.weakness.value or 1.0 for mark in shown])
    up = f"best minus naive, {metric_named(options.metric).title} (points)"
    open_panel(panel, across="weakness score of naive training", up=up)
    legend_below(figure, {label: Line2D([], [], **{**_NEUTRAL, **look}) for label, look in looks.items()})
    title = "What better training gains, against the weakness of naive training"
    return [Drawing("weakness_scatter", title, _caption(options, marks), figure, points=tuple(map(_point, marks)))]


def _marks(systems: Systems, group: Group, groups: Sequence[Group]) -> list[_Mark]:
    names = systems.modalities(group)
    cells = zip(names, weaknesses(systems, group, names), gains(systems, group, names), strict=True)
    return [_Mark(group, dataset_title(systems.data, group, groups), *found) for found in cells]


def _looks(marks: Sequence[_Mark]) -> dict[str, dict[str, Any]]:
    """Give each data set a colour, each fusion a filling, each modality a marker: label -> keywords of a line."""
    titles, fusions, modalities = (list(dict.fromkeys(mark.labels[place] for mark in marks)) for place in range(3))
    return (
        {label: {"color": line_style(place)["color"]} for place, label in enumerate(titles)}
        | {label: {"fillstyle": _FILLINGS[place % len(_FILLINGS)]} for place, label in enumerate(fusions)}
        | {label: {"marker": line_style(place)["marker"]} for place, label in enumerate(sorted(modalities))}
    )


def _draw(panel: Axes, mark: _Mark, look: Mapping[str, Any]) -> None:
    spreads = {"xerr": mark.weakness.spread or 0.0, "yerr": 100 * (mark.gain.spread or 0.0)}
    style: dict[str, Any] = {**_NEUTRAL, "ecolor": "0.75", "elinewidth": 0.6, **spreads, **look}
    panel.errorbar(mark.weakness.value or 1.0, 100 * (mark.gain.value or 0.0), **style)


def _log_axis(panel: Axes, scores: Sequence[float]) -> None:
    most = 1.25 * max([_NARROWEST, *scores, *(1 / score for score in scores)])
    panel.set(xscale="log", xlim=(1 / most, most))
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if most < _WIDE else (1.0,)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda score, _: f"{score:g}"))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.axvline(1.0, color="0.4", linewidth=0.8, zorder=1)
    panel.axhline(0.0, color="0.4", linewidth=0.8, zorder=1)


def _caption(options: Options, marks: Sequence[_Mark]) -> str:
    seeds = sorted({seed for mark in marks for cell in (mark.weakness, mark.gain) for seed in cell.origin.seeds})
    data = "; ".join(dict.fromkeys(f"{mark.group.dataset} {mark.group.fingerprint[:8]}" for mark in marks))
    bars = "Bars: standard deviation over seeds. " if len(seeds) > 1 else ""
    absent = "; ".join(f"{', '.join(mark.labels)} ({_why(mark)})" for mark in marks if not mark.drawn)
    return (
        f"{meaning(options)} Colour: data set; filling: fusion; shape: modality. {bars}"
        f"Seeds: {', '.join(map(str, seeds))}. Data: {data}.{f' Not drawn: {absent}.' if absent else ''}"
    )


def _why(mark: _Mark) -> str:
    if mark.drawn:
        return ""
    return mark.weakness.reason or mark.gain.reason or "a score of 0 has no place on a logarithmic axis"


def _point(mark: _Mark) -> dict[str, Any]:
    return {
        "dataset": mark.group.dataset,
        "fingerprint": mark.group.fingerprint,
        "fusion": mark.group.fusion,
        "modality": mark.modality,
        "reason": _why(mark),
        **{
            name: {"value": cell.value, "spread": cell.spread, "trial_ids": cell.origin.trial_ids}
            for name, cell in (("weakness", mark.weakness), ("gain", mark.gain))
        },
    }
