"""N24News with the articles' bodies as texts."""

from trainables.datasets._n24news import N24News, card_of

__all__ = ["N24newsBody"]


class N24newsBody(N24News):
    """Pictures and the articles' bodies, of which BERT reads the first 512 word pieces.

    The release has the body under `article`, the crawler that comes with it writes it under `body`.
    """

    card = card_of(
        "body", "MMPT, late fusion, macro F1: naive both 87.3, text 85.8, image 49.4; experts 86.1 and 51.1."
    )
    keys = ("article", "body")
