"""N24News with the pictures' captions as texts."""

from dataclasses import dataclass

from trainables.api_files import ImageTextParams
from trainables.datasets._n24news import N24News, card_of
from trainables.params import number

__all__ = ["N24newsCaption"]


@dataclass(frozen=True, kw_only=True)
class N24newsCaptionParams(ImageTextParams):
    """Captions are a few sentences.

    Attributes:
        tokens: the most that are kept of a text.
    """

    tokens: int = number(128, 1, 8192)


class N24newsCaption(N24News):
    """Pictures and the pictures' captions."""

    card = card_of("caption")
    Params = N24newsCaptionParams
    keys = ("caption",)
