"""Score against missing rates in training and testing: MMPT's p_train x p_test surfaces, one figure per method."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from results.candidates import Group
from results.curves import Curve, curve, families
from results.data import StoreData
from results.drawing import Drawing
from results.layout import (
    blocks_of_missing_data,
    caption,
    dataset_title,
    differing_seeds,
    draws_sentence,
    family_title,
    protocol_suffix,
)
from results.metrics import metric_named
from results.options import Options
from results.panels import blank, label_bar, label_figure
from results.statistics import mean
from results.systems import BEST_FUSION, System, Systems, systems_of
from results.table import Nothing
from results.train_test_grid import grid_row, training_rates
from search_spaces.missing_rates import TENTHS
from search_spaces.modality import FULL

__all__ = ["build"]

Surface = dict[float, Curve]
_PANEL_WIDTH, _ROW_HEIGHT, _TITLE_HEIGHT, _AROUND = 2.5, 0.2, 0.25, 0.8  # inches
_TITLE_SIZE, _NUMBER_SIZE = 8.0, 4.9  # points
_LIGHT = 0.45  # luminance of a cell above which its number is black


def build(data: StoreData, options: Options) -> list[Drawing] | Nothing:
    """Return one figure per data set, fusion and method that has trials with p_train > 0, and one for Best-Fusion.

    Trials of different missing protocols are in different figures.

    Rows of panels: what is missing in training, columns of panels: what is missing in testing (all four combinations
    for two modalities, and any modality at one rate); in a panel, each row is one p_train with its own selection.
    """
    systems = systems_of(data, options)
    drawings = []
    for missing, groups in blocks_of_missing_data(systems):
        trained = {group.method for group in groups if group.p_train != "0"}
        by_method = {method: [group for group in groups if group.method == method] for method in sorted(trained)}
        if len(trained) > 1:
            by_method[BEST_FUSION] = groups
        drawings += [_drawing(systems, missing, method, own) for method, own in by_method.items()]
    found = [drawing for drawing in drawings if drawing is not None]
    return found or Nothing("no finished trial with p_train > 0 of one modality, or of all at one rate")


def _system(systems: Systems, method: str, groups: list[Group]) -> System:
    return systems.best_fusion(groups) if method == BEST_FUSION else systems.of(groups[0])


def _drawing(systems: Systems, missing: str, method: str, groups: list[Group]) -> Drawing | None:
    first = groups[0]
    modalities = systems.modalities(first)
    rates_of = training_rates(groups, modalities)
    if not rates_of:
        return None
    complete = [group for group in groups if group.p_train == "0"]
    base = _system(systems, method, complete) if complete else None
    tests = families(modalities, systems.options.missing)
    found: dict[tuple[str, str], Surface] = {}
    for train in sorted(rates_of, key=list(families(modalities)).index):
        for rate, own in rates_of[train].items():
            row = grid_row(systems, train, _system(systems, method, own), base)
            for test, test_rates in tests.items():
                found.setdefault((train, test), {})[rate] = curve(systems, row, test_rates)
    title = "Best-Fusion" if method == BEST_FUSION else systems.data.title("method", method)
    where = f"{title} on {dataset_title(systems.data, first, systems.groups)}, {first.fusion} fusion"
    where += f", trained with masks of {missing}" if protocol_suffix(missing) else ""
    return Drawing(
        f"surface_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}_{method}{protocol_suffix(missing)}",
        f"Missing in training and testing: {where}",
        _caption(systems, groups, found),
        _figure(found, f"{metric_named(systems.options.metric).title} (%)"),
        points=tuple(_points(found)),
    )


def _caption(systems: Systems, groups: list[Group], found: Mapping[tuple[str, str], Surface]) -> str:
    seeds_of = {
        f"{family_title(train)} missing in training at {rate:g}, {family_title(test)} in testing": one.seeds
        for (train, test), surface in found.items()
        for rate, one in surface.items()
    }
    seeds = {seed for found_seeds in seeds_of.values() for seed in found_seeds}
    text = (
        f"{caption(systems, groups, seeds)} Each number is {metric_named(systems.options.metric).title}, the mean over "
        f"seeds. {draws_sentence(systems.options)} Any: every modality goes missing, all at one rate. Every p_train "
        "has its own selected configuration. As in appendix B of the paper, samples left with a pattern from which "
        "nothing was missing in training are predicted by trials with p_train = 0, all others by those of the row. "
        f"{differing_seeds(seeds_of)}"
    )
    return text.rstrip()


def _points(found: Mapping[tuple[str, str], Surface]) -> list[dict[str, object]]:
    return [
        {
            "train": train,
            "p_train": rate,
            "test": test,
            "p_test": p_test,
            "values": one.values[place],
            "seeds": one.seeds if one.values[place] else (),
            "standard_error": one.errors[place],
            "trial_ids": one.trial_ids[place],
            "reason": one.reasons[place],
        }
        for (train, test), surface in found.items()
        for rate, one in surface.items()
        for place, p_test in enumerate(TENTHS)
    ]


def _figure(found: Mapping[tuple[str, str], Surface], title: str) -> Figure:
    trains, tests = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    heights = [_ROW_HEIGHT * len(found[train, tests[0]]) for train in trains]
    around = _AROUND + _TITLE_HEIGHT * len(trains)
    figure, panels = blank(len(tests), len(trains), width=_PANEL_WIDTH, heights=heights, around=around)
    values = {place: _values(surface) for place, surface in found.items()}
    known = np.concatenate([each[~np.isnan(each)] for each in values.values()])
    limits = (float(known.min(initial=100.0)), float(known.max(initial=0.0)))
    for (train, test), surface in found.items():
        row, column = trains.index(train), tests.index(test)
        panel = panels[row][column]
        image = _heat_map(panel, values[train, test], limits)
        panel.set_xticks(range(len(TENTHS)), [f"{100 * rate:.0f}" if row == len(trains) - 1 else "" for rate in TENTHS])
        panel.set_yticks(range(len(surface)), [f"{100 * rate:g}" if column == 0 else "" for rate in surface])
        panel.set_title(f"training: {_short(train)}, test: {_short(test)}", fontsize=_TITLE_SIZE)
    label_figure(figure, across="missing at test time (%)", up="missing in training (%)")
    label_bar(figure, image, title)
    return figure


def _short(family: str) -> str:
    return "any" if family == FULL else family_title(family)


def _values(surface: Surface) -> npt.NDArray[np.float64]:
    return np.array([[100 * mean(values) if values else np.nan for values in one.values] for one in surface.values()])


def _heat_map(panel: Axes, values: npt.NDArray[np.float64], limits: tuple[float, float]) -> AxesImage:
    image = panel.imshow(values, cmap="cividis", vmin=limits[0], vmax=limits[1], aspect="auto", origin="lower")
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            light = np.dot(image.to_rgba(np.array([value]))[0][:3], (0.2126, 0.7152, 0.0722)) > _LIGHT
            text = f"{value:.1f}".replace("100.0", "100")
            panel.text(column, row, text, ha="center", va="center", fontsize=_NUMBER_SIZE, color="k" if light else "w")
    return image
