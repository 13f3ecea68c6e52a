"""Files of a store that fails for a while: what may pass is tried again for a bounded time, a full disk is not."""

import errno
import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from results.files import Files

__all__ = ["PatientFiles", "StoreFullError", "StoreUnavailableError"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LASTING = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 10.0


class StoreFullError(OSError):
    """The store has no room left."""


class StoreUnavailableError(OSError):
    """The store kept failing for longer than was to be waited."""


class PatientFiles(Files):
    """Files whose operations wait for a store that fails.

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

    def read(self, *parts: str) -> bytes:
        """As in `Files`, patiently."""
        return self._try(lambda: super(PatientFiles, self).read(*parts))

    def write(self, data: bytes, *parts: str) -> None:
        """As in `Files`, patiently."""
        self._try(lambda: super(PatientFiles, self).write(data, *parts))

    def create(self, data: bytes, *parts: str) -> bool:
        """As in `Files`, patiently: False may mean that an earlier try did it, unseen."""
        return self._try(lambda: super(PatientFiles, self).create(data, *parts))

    def publish(self, folder: tuple[str, ...], files: Mapping[str, bytes], last: str) -> None:
        """As in `Files`, patiently."""
        self._try(lambda: super(PatientFiles, self).publish(folder, files, last))

    def names(self, *parts: str) -> list[str]:
        """As in `Files`, patiently."""
        return self._try(lambda: super(PatientFiles, self).names(*parts))

    def exists(self, *parts: str) -> bool:
        """As in `Files`, patiently."""
        return self._try(lambda: super(PatientFiles, self).exists(*parts))

    def size(self, *parts: str) -> int:
        """As in `Files`, patiently."""
        return self._try(lambda: super(PatientFiles, self).size(*parts))

    def remove(self, *parts: str) -> None:
        """As in `Files`, patiently."""
        self._try(lambda: super(PatientFiles, self).remove(*parts))

    def _try(self, operation: Callable[[], T]) -> T:
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
