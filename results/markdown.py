"""Text that Markdown shows as it is."""

import re

__all__ = ["escape"]

_SPECIAL = re.compile(r"[\\`*<\[|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def escape(text: str) -> str:
    r"""Return text on one line; an underscore inside a word means nothing to Markdown and stays bare.

    >>> escape("best_validation  of *a*|b")
    'best_validation of \\*a\\*\\|b'
    """
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
