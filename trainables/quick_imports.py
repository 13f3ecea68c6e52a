"""Importing large packages in less time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quick_imports"]


@contextmanager
def quick_imports() -> Iterator[None]:
    """Let the garbage collector rest while modules are imported.

    What they make stays, some hundred thousand objects for torch and Ray, and Python would look through it for garbage
    again and again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
