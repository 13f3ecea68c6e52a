"""Figures as data, and how they are written: the same bytes every time."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from results.naming import file_name
from results.panels import printed

__all__ = ["Drawing", "to_inline_svg", "to_json", "to_png", "to_svg"]

_DOTS_PER_INCH = 220
_NARROWEST = 0.6  # of its own width; on a narrower screen a picture scrolls


@dataclass(frozen=True)
class Drawing:
    """A finished figure.

    Attributes:
        name: file name without ending.
        title: one line.
        caption: what is drawn.
        figure: the picture.
        points: what is drawn, as plain data with the trials behind it, for the JSON file beside the picture.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    points: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", file_name(self.name))


def to_svg(drawing: Drawing) -> bytes:
    """Return SVG bytes, equal for equal drawings: no date, fixed ids."""
    out = io.BytesIO()
    with printed(), mpl.rc_context({"svg.hashsalt": drawing.name, "svg.fonttype": "path"}):
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
    with printed():
        drawing.figure.savefig(out, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return out.getvalue()


def to_json(drawing: Drawing) -> str:
    """Return what is drawn, with the trials behind it."""
    content = {"title": drawing.title, "caption": drawing.caption, "points": [dict(point) for point in drawing.points]}
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"
