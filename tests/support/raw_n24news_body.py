"""N24News for its view `body`."""

from raw_n24news import PARAMS, PLANTED, SIZES, make_raw

__all__ = ["PARAMS", "PLANTED", "SIZES", "make_raw"]
