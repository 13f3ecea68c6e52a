"""Names of tables and figures that are safe as file names, HTML ids and LaTeX labels."""

import re
import zlib

__all__ = ["file_name"]


def file_name(name: str) -> str:
    """Return `name` itself if it is made of letters, digits, `_`, `-` and `.`, else a safe name of its own.

    >>> file_name("surface_av_digits_late"), file_name("../a b")
    ('surface_av_digits_late', 'a-b-75e96e29')
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-")
    return name if safe == name else f"{safe}-{zlib.crc32(name.encode()):08x}"
