"""Figures as data, how they look in print, and how they are written: the same bytes every time."""

import io
import re
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from results.naming import file_name

__all__ = ["Drawing", "blank", "line_style", "to_inline_svg", "to_png", "to_svg"]

_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Okabe and Ito's colours, told apart with any colour vision; yellow is left out because paper is white."""
_MARKERS = "osD^vPX*"
_LINES = ("-", "--", ":", "-.")
_DOTS_PER_INCH = 160
_NARROWEST = 0.6  # of its own width; on a narrower screen a picture scrolls


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Attributes:
        name: file name without ending.
        title: one line.
        caption: what is drawn.
        figure: the picture.
    """

    name: str
    title: str
    caption: str
    figure: Figure

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", file_name(self.name))


def blank(columns: int, rows: int = 1, *, width: float = 3.6, height: float = 3.0) -> tuple[Figure, list[list[Axes]]]:
    """Return an empty figure and its panels, [row][column]; sizes in inches per panel."""
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False).tolist()


def line_style(index: int) -> dict[str, Any]:
    """Return colour, marker and dashes of the index-th line; they differ without colour too."""
    turn = index // len(_PALETTE)
    place = index % len(_PALETTE)
    return {"color": _PALETTE[place], "marker": _MARKERS[place], "linestyle": _LINES[(index + turn) % len(_LINES)]}


def to_svg(drawing: Drawing) -> bytes:
    """Return SVG bytes, equal for equal drawings: no date, fixed ids."""
    out = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": drawing.name, "svg.fonttype": "path"}):
        drawing.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def to_inline_svg(drawing: Drawing) -> str:
    """Return SVG to stand in a page: ids of its own, a name for readers who cannot see it, and a smallest width."""
    text = to_svg(drawing).decode()
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{drawing.name}-", text[text.index("<svg") :])
    narrowest = _NARROWEST * drawing.figure.get_figwidth()
    label = f'role="img" aria-label="{escape(drawing.title)}" style="min-width: {narrowest:.2f}in"'
    return svg.replace("<svg ", f"<svg {label} ", 1)


def to_png(drawing: Drawing) -> bytes:
    """Return PNG bytes."""
    out = io.BytesIO()
    drawing.figure.savefig(out, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return out.getvalue()
