"""Files of a store that fails for a while: what may pass is tried again for a bounded time, a full disk is not."""

import errno
import logging
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from results.file_system import StoreAccessError
from results.files import Files

__all__ = ["PatientFiles", "StoreFullError", "StoreUnavailableError"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 10.0


class StoreFullError(StoreAccessError):
    """The store has no room left."""


class StoreUnavailableError(StoreAccessError):
    """The store kept failing for longer than was to be waited."""


class PatientFiles(Files):
    """Files whose operations wait for a store that fails; `create` may say False where an earlier try did it, unseen.

    Args:
        root: as for `Files`.
        patience_seconds: for how long an operation that fails is tried again.

    Raises:
        StoreError: as `Files` does.
        StoreFullError: by every operation, at once: there is no room left.
        StoreUnavailableError: by every operation: it failed until patience ran out.
    """

    def __init__(self, root: str, patience_seconds: float) -> None:
        super().__init__(root)
        self._patience_seconds = patience_seconds

    def try_patiently(self, operation: Callable[[], T]) -> T:
        """Do what an operation of `Files` does, again and again while it fails with what may pass."""
        deadline = time.monotonic() + self._patience_seconds
        wait = _FIRST_WAIT_SECONDS
        while True:
            try:
                return operation()
            except (*_LASTING, StoreFullError, StoreUnavailableError):
                raise
            except OSError as error:
                if error.errno in _FULL:
                    raise StoreFullError(error.errno, f"store {self.root!r} has no room left: {error}") from error
                if time.monotonic() + wait > deadline:
                    message = f"store {self.root!r} failed for {self._patience_seconds:g} s: {error}"
                    raise StoreUnavailableError(error.errno, message) from error
                _log.warning("store %s: %s; trying again", self.root, error)
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def _patient(name: str) -> Callable[..., Any]:
    @wraps(getattr(Files, name))
    def call(self: PatientFiles, *args: Any, **kwargs: Any) -> Any:
        return self.try_patiently(partial(getattr(Files, name), self, *args, **kwargs))

    return call


for _name in (
    *("read", "read_range", "read_many", "download", "names", "exists", "size", "sizes", "folder_sizes"),
    *("write", "create", "publish", "publish_staged", "upload", "remove", "remove_file"),
):
    setattr(PatientFiles, _name, _patient(_name))
