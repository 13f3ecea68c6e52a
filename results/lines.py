"""Lines of methods, the same look in every figure; score against the test-time missing rate, one panel per modality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from results.candidates import Group
from results.curves import Curve, curve, families
from results.drawing import Drawing
from results.layout import caption, differing_seeds, draws_sentence, family_title, methods_in_order
from results.metrics import metric_named
from results.panels import blank, legend_below, line_style, open_panel
from results.statistics import mean_and_spread
from results.systems import Systems
from search_spaces.missing_rates import TENTHS

__all__ = ["Line", "Panels", "draw_line", "lines_figure", "method_lines", "method_style"]


@dataclass(frozen=True)
class Line:
    """A line of a figure over the missing rate.

    Attributes:
        label: its name in the legend.
        curve: what it shows.
        style: how it looks: keywords of matplotlib's `plot`.
        source: where numbers come from that no trial of the store gave.
    """

    label: str
    curve: Curve
    style: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""


Panels = Mapping[str, Sequence[Line]]
"""What goes missing (a family of rates) -> lines in the legend's order, the same in every panel."""


def method_style(systems: Systems, method: str) -> dict[str, Any]:
    """Return how a method's line looks, the same in all figures of a store."""
    return line_style(methods_in_order(group.method for group in systems.groups).index(method))


def method_lines(systems: Systems, groups: Sequence[Group]) -> dict[str, list[Line]]:
    """Return one line per group, of different methods on one data set and fusion, for each family of rates."""
    by_method = {group.method: group for group in groups}
    return {
        family: [
            Line(
                systems.data.title("method", method),
                curve(systems, systems.of(by_method[method]), rates),
                method_style(systems, method),
            )
            for method in methods_in_order(by_method)
        ]
        for family, rates in families(systems.modalities(groups[0]), systems.options.missing).items()
    }


def lines_figure(
    systems: Systems, groups: Sequence[Group], panels: Panels, *, name: str, title: str, note: str = ""
) -> Drawing:
    """Return the figure of some lines per missing modality; a line without any number is named in the caption alone."""
    empty = {line.label: line.curve.reasons[-1] for lines in panels.values() for line in lines}
    for lines in panels.values():
        for line in lines:
            if any(line.curve.values):
                empty.pop(line.label, None)
    figure, axes = blank(len(panels))
    for panel, (family, lines) in zip(axes[0], panels.items(), strict=True):
        for line in lines:
            if line.label not in empty:
                values = [[100 * value for value in found] for found in line.curve.values]
                draw_line(panel, [100 * rate for rate in TENTHS], values, {**line.style, "label": line.label})
        panel.set(xlim=(-4, 104), xticks=range(0, 101, 20))
        open_panel(panel, title=f"missing: {family_title(family)}", across="missing at test time (%)")
    for panel in axes[0][1:]:
        panel.sharey(axes[0][0])
        panel.tick_params(labelleft=False)
    axes[0][0].set_ylabel(f"{metric_named(systems.options.metric).title} (%)")
    axes[0][0].autoscale(axis="y")
    legend_below(figure)
    text = f"{_caption(systems, groups, panels)} {_without(empty)}{note}"
    return Drawing(name, title, text.rstrip(), figure, points=tuple(_points(panels)))


def draw_line(
    panel: Axes, places: Sequence[float], values: Sequence[Sequence[float]], style: Mapping[str, Any]
) -> None:
    """Draw the mean of some values (one per seed) at each place, and a band of one standard deviation around it.

    Places without values are left out; where there is a single value there is no band.
    """
    points = [(place, *mean_and_spread(found)) for place, found in zip(places, values, strict=True) if found]
    where, means = np.array([point[0] for point in points]), np.array([point[1] for point in points])
    panel.plot(where, means, **{"markersize": 3.2, "linewidth": 1.2, **style})
    if any(point[2] for point in points):
        spreads = np.array([point[2] or 0.0 for point in points])
        panel.fill_between(where, means - spreads, means + spreads, color=style["color"], alpha=0.15, linewidth=0)


def _caption(systems: Systems, groups: Sequence[Group], panels: Panels) -> str:
    seeds_of = {
        f"{line.label}, {family_title(family)} missing": line.curve.seeds
        for family, lines in panels.items()
        for line in lines
    }
    seeds = {seed for found in seeds_of.values() for seed in found}
    bands = "Bands: standard deviation over training seeds. " if len(seeds) > 1 else ""
    return (
        f"{caption(systems, groups, seeds)} {draws_sentence(systems.options)} {bands}{differing_seeds(seeds_of)}"
        "Rates at which a method cannot predict every sample are left out."
    )


def _without(empty: Mapping[str, str]) -> str:
    return f"Without any number: {'; '.join(dict.fromkeys(empty.values()))}. " if empty else ""


def _points(panels: Panels) -> list[dict[str, Any]]:
    return [
        {
            "missing": family,
            "line": line.label,
            "p_test": rate,
            "values": line.curve.values[place],
            "seeds": line.curve.seeds if line.curve.values[place] else (),
            "standard_error": line.curve.errors[place],
            "trial_ids": line.curve.trial_ids[place],
            "reason": line.curve.reasons[place],
            "source": line.source,
        }
        for family, lines in panels.items()
        for line in lines
        for place, rate in enumerate(TENTHS)
    ]
