"""Panels, legends and lines as they look in print, whatever the user's own settings of matplotlib."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

__all__ = ["TEXT_WIDTH", "blank", "label_bar", "label_figure", "legend_below", "line_style", "open_panel", "printed"]

TEXT_WIDTH = 7.2
"""Inches between the margins of a two-column page. Figures are drawn at the size at which they are printed."""

_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Okabe and Ito's, told apart with any colour vision; without yellow, because paper is white."""
_MARKERS = "osD^vPX*"
_LINES = ("-", "--", "-.")
"""As many as make no pair of colour and dashes come back before the 24th line; dots are kept for printed numbers."""
_STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
}
_LETTER = 0.062  # inches, of the legend's font on average
_LEGEND_ROW = 0.16  # inches
_LEGEND_LINE = 0.6  # inches: sample of the line and the gaps around it
_MOST_BESIDE = 4


def blank(
    columns: int,
    rows: int = 1,
    *,
    width: float | None = None,
    height: float = 2.3,
    heights: Sequence[float] = (),
    around: float = 0.0,
) -> tuple[Figure, list[list[Axes]]]:
    """Return an empty figure and its panels, [row][column]; all sizes in inches.

    Args:
        columns: panels beside each other.
        rows: panels above each other.
        width: of a panel with its labels; by default up to four share a page's width.
        height: of a panel with its labels.
        heights: of each row of panels without their labels, instead of `height`.
        around: what labels and legend add to these `heights`.
    """
    inches = list(heights) or [height] * rows
    size = (columns * (width or TEXT_WIDTH / min(columns, _MOST_BESIDE)), sum(inches) + around)
    with printed():
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(rows, columns, squeeze=False, height_ratios=inches)
        for panel in panels.flat:  # tick labels are made when the figure is drawn, by then in another style
            panel.tick_params(labelsize=_STYLE["xtick.labelsize"], width=_STYLE["axes.linewidth"])
    return figure, panels.tolist()


def printed() -> AbstractContextManager[None]:
    """Set the size of everything for print; to be held while a figure is made and while it is written."""
    return style.context(["default", _STYLE])


def label_figure(figure: Figure, *, across: str, up: str) -> None:
    """Name the axes that all panels share."""
    with printed():
        figure.supxlabel(across, fontsize=_STYLE["axes.labelsize"])
        figure.supylabel(up, fontsize=_STYLE["axes.labelsize"])


def open_panel(panel: Axes, *, title: str = "", across: str = "", up: str = "") -> None:
    """Name a panel and its axes, and give it a light grid and no frame above and to the right."""
    with printed():
        panel.set_title(title)
        panel.set(xlabel=across, ylabel=up)
    panel.grid(color="0.9", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def label_bar(figure: Figure, image: AxesImage, title: str) -> None:
    """Put a colour bar to the right of all panels, which share the image's scale."""
    with printed():
        bar = figure.colorbar(image, ax=figure.axes, label=title, fraction=0.03, pad=0.01, aspect=30)
        bar.ax.tick_params(labelsize=_STYLE["ytick.labelsize"])


def legend_below(figure: Figure, entries: Mapping[str, Artist] | None = None) -> None:
    """Put a legend under the panels, in as many columns as fit the figure's width; the figure grows by its height.

    Args:
        figure: the figure.
        entries: label -> what stands beside it; by default every labelled line of the panels, each label once.
    """
    if entries is None:
        found = [panel.get_legend_handles_labels() for panel in figure.axes]
        entries = {label: handle for handles, labels in found for handle, label in zip(handles, labels, strict=True)}
    if not entries:
        return
    most = max(1, int(figure.get_figwidth() / (_LEGEND_LINE + _LETTER * max(map(len, entries)))))
    rows = -(-len(entries) // most)
    columns = -(-len(entries) // rows)
    figure.set_figheight(figure.get_figheight() + rows * _LEGEND_ROW)
    with printed():
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns, frameon=False)


def line_style(index: int) -> dict[str, Any]:
    """Return colour, marker and dashes of the index-th line; they differ without colour too."""
    place = index % len(_PALETTE)
    return {"color": _PALETTE[place], "marker": _MARKERS[place], "linestyle": _LINES[index % len(_LINES)]}
