"""N24News with the articles' abstracts as texts."""

from dataclasses import dataclass

from trainables.api_files import ImageTextParams
from trainables.datasets._n24news import N24News, card_of
from trainables.params import number

__all__ = ["N24newsAbstract"]


@dataclass(frozen=True, kw_only=True)
class N24newsAbstractParams(ImageTextParams):
    """Abstracts are a few sentences.

    Attributes:
        tokens: the most that are kept of a text.
    """

    tokens: int = number(128, 1, 8192)


class N24newsAbstract(N24News):
    """Pictures and the articles' abstracts."""

    card = card_of("abstract")
    Params = N24newsAbstractParams
    keys = ("abstract",)
