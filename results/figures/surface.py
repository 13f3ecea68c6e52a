"""Score against missing rates in training and testing: MMPT's p_train x p_test surfaces, one figure per method."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.curves import Curves, Options, curves_of, families
from results.drawing import Drawing, blank
from results.frame import StoreData
from results.layout import caption, dataset_title, differing_seeds, family_title, method_title
from results.metrics import metric_named
from results.render import Nothing
from results.selection import Group
from results.statistics import mean
from search_spaces.missing_rates import TENTHS, MissingRates
from search_spaces.modality import FULL

__all__ = ["build", "missing_in_training"]

Rows = dict[float, Group]
_DARK = 0.6  # of the colour scale; lighter text above


def missing_in_training(p_train: str, modalities: list[str]) -> dict[str, float]:
    """Return train family -> rate for missing rates as text; rates of zero belong to every family.

    >>> missing_in_training("audio:0.3", ["audio", "image"])
    {'audio': 0.3}
    """
    parsed = MissingRates.parse(p_train).resolve(modalities)
    highest = max(parsed.rates.values(), default=0.0)
    levels = {FULL: MissingRates.shared(highest), **{name: MissingRates({name: highest}) for name in modalities}}
    return {family: highest for family, rates in levels.items() if rates.resolve(modalities) == parsed}


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set, fusion and method that has trials with p_train > 0.

    Each row is one p_train with its own selected configuration; each cell mixes the full and the remaining-modality
    logits of those same trials. That is what appendix B of the paper asks for: with m1 missing in training at p_train,
    multimodal and m1-only logits come from 1 - p_train of the data, those of every other modality from all of it.
    """
    curves = curves_of(data, options)
    surfaces: dict[Group, dict[str, Rows]] = {}
    for group in curves.groups:
        for family, rate in missing_in_training(group.p_train, curves.modalities(group)).items():
            surfaces.setdefault(group._replace(p_train="0"), {}).setdefault(family, {})[rate] = group
    found = {
        group: {family: rows for family, rows in by_family.items() if max(rows) > 0}
        for group, by_family in surfaces.items()
    }
    drawings = [_drawing(data, options, group, by_family) for group, by_family in found.items() if by_family]
    return drawings or Nothing("no finished trial with p_train > 0")


def _drawing(data: StoreData, options: Options, group: Group, surfaces: dict[str, Rows]) -> Drawing:
    curves = curves_of(data, options)
    tests = list(families(curves.modalities(group)))
    figure, panels = blank(len(tests), len(surfaces), width=4.6, height=1.2 + 0.3 * max(map(len, surfaces.values())))
    tables = {(tr, te): _values(curves, rows, te) for tr, rows in surfaces.items() for te in tests}
    limits = (min(map(_lowest, tables.values())), max(np.nanmax(v, initial=0.0) for v in tables.values()))
    for line, (train, rows) in zip(panels, surfaces.items(), strict=True):
        for panel, test in zip(line, tests, strict=True):
            _heat_map(panel, tables[train, test], sorted(rows), limits)
            panel.set_title(f"train: {family_title(train)}, test: {family_title(test)}", fontsize=9)
    _frame(figure, panels)
    used = [other for rows in surfaces.values() for other in rows.values()]
    seeds_of = {
        f"p_train {other.p_train}, {family_title(test)} missing at test time": curves.curve(other, test).seeds
        for other in dict.fromkeys(used)
        for test in tests
    }
    seeds = {seed for found in seeds_of.values() for seed in found}
    title = f"{method_title(data, group.method)} on {dataset_title(data, group, curves.groups)}, {group.fusion} fusion"
    return Drawing(
        f"surface_{group.dataset}_{group.fingerprint[:8]}_{group.fusion}_{group.method}",
        f"Missing in training and testing: {title}",
        f"{caption(data, options, used, seeds)} Each number is {metric_named(options.metric).title}, the mean over "
        f"seeds and {options.num_draws} draws. Every p_train has its own selected configuration, and its row uses "
        "those trials throughout: for the samples that are complete at test time and for those that lack a modality. "
        f"{differing_seeds(seeds_of)}".rstrip(),
        figure,
    )


def _values(curves: Curves, rows: Rows, family: str) -> np.ndarray:
    found = [curves.curve(rows[rate], family).values for rate in sorted(rows)]
    return np.array([[100 * mean(values) if values else np.nan for values in row] for row in found])


def _lowest(values: np.ndarray) -> float:
    return float(np.nanmin(values, initial=100.0))


def _heat_map(panel: Axes, values: np.ndarray, train_rates: list[float], limits: tuple[float, float]) -> None:
    low, high = limits
    panel.imshow(values, cmap="cividis", vmin=low, vmax=high, aspect="auto", origin="lower")
    for (row, column), value in np.ndenumerate(values):
        shade = (value - low) / (high - low) if high > low else 1.0
        text = "" if np.isnan(value) else f"{value:.1f}"
        panel.text(column, row, text, ha="center", va="center", fontsize=6.5, color="k" if shade > _DARK else "w")
    panel.set_xticks(range(len(TENTHS)), [f"{100 * rate:.0f}" for rate in TENTHS], fontsize=7)
    panel.set_yticks(range(len(train_rates)), [f"{100 * rate:g}" for rate in train_rates], fontsize=7)


def _frame(figure: Figure, panels: list[list[Axes]]) -> None:
    figure.supxlabel("missing at test time (%)", fontsize=9)
    for line in panels:
        line[0].set_ylabel("missing in training (%)", fontsize=8)
