"""ViLT whose position table of text is stretched to the length of the text."""

from trainables.backbones.vilt import Vilt

__all__ = ["ViltInterpolate"]


class ViltInterpolate(Vilt):
    """As `vilt`, but text longer than the position table stretches the table linearly before training."""

    long_text = "interpolate"
