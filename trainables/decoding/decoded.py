"""What every decoder of arrays returns."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

__all__ = ["Decoded"]


@dataclass(frozen=True, eq=False)
class Decoded:
    """The content of one file, and what was found wrong with it.

    Attributes:
        values: the array; None where the file is to be treated as missing.
        issues: audit codes, such as `bad_mode`, in the order of finding; empty for a clean file. Never empty where
            `values` is None.
    """

    values: npt.NDArray[Any] | None
    issues: tuple[str, ...] = ()
