"""Render the glyphs of GlyphNames with matplotlib's DejaVu fonts: `python -m ..._glyph_names_make_glyphs FILE`."""

import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from trainables.datasets._glyph_names_texts import SCRIPTS

__all__ = ["FONTS", "code_points", "make_glyphs", "render", "renderings"]

FONTS = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "Serif", "Serif-Bold")
MOST_FONTS = 3
MOST_PER_SCRIPT = 400

_SIDE, _BASELINE, _SIZE = 24, 18, 18  # pixels
_SEED = 15


def _file(font: str) -> Path:
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / f"DejaVu{font.removesuffix('-Regular')}.ttf"


def code_points() -> list[int]:
    """Return the letters of the eight scripts that DejaVu Sans has, at most 400 per script, in a seeded order.

    The first of a script are what a smaller cap keeps.
    """
    draws = np.random.default_rng(_SEED)
    letters = sorted(c for c in FT2Font(_file(FONTS[0])).get_charmap() if unicodedata.category(chr(c)).startswith("L"))
    chosen: list[int] = []
    for script in SCRIPTS:
        own = [c for c in letters if unicodedata.name(chr(c), "").partition(" ")[0] == script.upper()]
        chosen += [own[place] for place in draws.permutation(len(own))[:MOST_PER_SCRIPT]]
    return chosen


def renderings() -> Iterator[tuple[int, str]]:
    """Yield every code point with the first three of the fonts that have it."""
    having = {font: set(FT2Font(_file(font)).get_charmap()) for font in FONTS}
    for code_point in code_points():
        fonts = [font for font in FONTS if code_point in having[font]]
        yield from ((code_point, font) for font in fonts[:MOST_FONTS])


def render(code_point: int, font: str) -> npt.NDArray[np.uint8]:
    """Return a glyph as stored: 24 x 24 grey values, 18 pixels per em, centred on its advance, on one baseline."""
    face = ImageFont.truetype(_file(font), _SIZE, layout_engine=ImageFont.Layout.BASIC)
    canvas = Image.new("L", (_SIDE, _SIDE))
    ImageDraw.Draw(canvas).text((_SIDE // 2, _BASELINE), chr(code_point), fill=255, font=face, anchor="ms")
    return np.asarray(canvas)


def make_glyphs() -> pa.Table:
    """Render everything: columns code_point, name, font, pixels."""
    rows = list(renderings())
    return pa.table(
        {
            "code_point": pa.array([code_point for code_point, _ in rows], pa.int32()),
            "name": pa.array([unicodedata.name(chr(code_point)) for code_point, _ in rows], pa.string()),
            "font": pa.array([font for _, font in rows], pa.string()),
            "pixels": pa.array([render(*row).tobytes() for row in rows], pa.binary(_SIDE * _SIDE)),
        }
    )


if __name__ == "__main__":
    pq.write_table(make_glyphs(), Path(sys.argv[1]), compression="zstd", compression_level=19)
