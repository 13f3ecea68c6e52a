"""Files that are not what their name says, whatever their kind: nothing, a web page or a stub of Git LFS."""

import struct
import zlib

__all__ = ["UNREADABLE", "head_issue"]

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
"""What readers of third parties raise on bytes that nobody wrote with care."""

_HEAD_BYTES = 512
_LFS_POINTER = b"version https://git-lfs"
_PAGES = (b"<!doctype", b"<html")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def head_issue(data: bytes) -> str | None:
    """Return `zero_bytes`, `lfs_pointer` or `html_instead` (a dead link, saved), or None for anything else."""
    if not data:
        return "zero_bytes"
    if data.startswith(_LFS_POINTER):
        return "lfs_pointer"
    head = data[:_HEAD_BYTES].removeprefix(_BYTE_ORDER_MARK).lstrip().lower()
    return "html_instead" if head.startswith(_PAGES) else None
