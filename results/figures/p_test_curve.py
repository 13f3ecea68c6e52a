"""Score against the test-time missing rate, one line per method and one panel per missing modality."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from results.curves import Curve, Options, curves_of, families
from results.drawing import Drawing, blank, line_style
from results.frame import StoreData
from results.layout import caption, dataset_title, differing_seeds, family_title, method_title, methods_in_order
from results.metrics import metric_named
from results.render import Nothing
from results.selection import Group
from results.statistics import mean_and_spread
from search_spaces.missing_rates import TENTHS

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set and fusion, from trials with p_train = 0."""
    groups = [group for group in curves_of(data, options).groups if group.p_train == "0"]
    if not groups:
        return Nothing("no finished trial with p_train = 0")
    blocks = dict.fromkeys(group[:3] for group in groups)
    return [_drawing(data, options, [group for group in groups if group[:3] == block], groups) for block in blocks]


def _drawing(data: StoreData, options: Options, groups: list[Group], others: list[Group]) -> Drawing:
    curves = curves_of(data, options)
    first = groups[0]
    by_method = {group.method: group for group in groups}
    names = list(families(curves.modalities(first)))
    figure, panels = blank(len(names))
    for panel in panels[0][1:]:
        panel.sharey(panels[0][0])
    for panel, family in zip(panels[0], names, strict=True):
        for index, method in enumerate(methods_in_order(by_method)):
            label = method_title(data, method)
            _line(panel, curves.curve(by_method[method], family), {**line_style(index), "label": label})
        panel.set(title=f"missing: {family_title(family)}", xlabel="missing at test time (%)", xlim=(-3, 103))
        panel.grid(color="0.9", linewidth=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel(f"{metric_named(options.metric).title} (%)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False)
    seeds_of = {
        f"{method_title(data, method)}, {family_title(name)} missing": curves.curve(by_method[method], name).seeds
        for method in methods_in_order(by_method)
        for name in names
    }
    seeds = {seed for found in seeds_of.values() for seed in found}
    return Drawing(
        f"p_test_curve_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        f"Test-time missing rates on {dataset_title(data, first, others)}, {first.fusion} fusion",
        f"{caption(data, options, groups, seeds)} Mean of {options.num_draws} draws; bands: standard deviation over "
        f"training seeds. {differing_seeds(seeds_of)}Rates at which a method cannot predict every sample are left out.",
        figure,
    )


def _line(panel: Axes, curve: Curve, style: dict[str, Any]) -> None:
    points = [(100 * rate, *mean_and_spread(found)) for rate, found in zip(TENTHS, curve.values, strict=True) if found]
    rates = np.array([point[0] for point in points])
    means = 100 * np.array([point[1] for point in points])
    spreads = 100 * np.array([point[2] or 0.0 for point in points])
    panel.plot(rates, means, markersize=4, linewidth=1.4, **style)
    panel.fill_between(rates, means - spreads, means + spreads, color=style["color"], alpha=0.15, linewidth=0)
