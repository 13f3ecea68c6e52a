"""N24News for its abstracts, one of which is empty."""

from raw_n24news import ARTICLES, PARAMS, SIZES, make_raw
from raw_n24news import PLANTED as IN_EVERY_VIEW

__all__ = ["PARAMS", "PLANTED", "SIZES", "make_raw"]

PLANTED = {**IN_EVERY_VIEW, "empty_text": {ARTICLES[7]}}
