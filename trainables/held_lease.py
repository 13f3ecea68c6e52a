"""A trial's lease while it trains: taken before, renewed by a thread also during long epochs, given up after."""

import logging
import threading
from types import TracebackType
from typing import Self

from results.leases import LeaseLostError
from results.store import Store
from trainables.attempt import Attempt

__all__ = ["HeldLease"]

_log = logging.getLogger(__name__)

_RENEWALS_PER_LEASE = 4


class HeldLease:
    """Holds a trial's lease as a context.

    Raises:
        TrialLeasedError: on entry: somebody else trains the trial.
    """

    def __init__(self, store: Store, trial_id: str, attempt: Attempt) -> None:
        self._store = store
        self._trial_id = trial_id
        self._attempt = attempt

    def __enter__(self) -> Self:
        attempt = self._attempt
        self._lease = self._store.take_lease(
            self._trial_id,
            sweep=attempt.sweep,
            attempt=attempt.number,
            seconds=attempt.lease_seconds,
            expired=attempt.expired,
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease {self._trial_id}", daemon=True)
        self._thread.start()
        return self

    def check(self) -> None:
        """Make sure, before anything is stored, that nobody has taken the trial over while this process was paused.

        Raises:
            LeaseLostError: somebody has.
        """
        self._store.check_lease(self._lease)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del error, traceback
        self._ended.set()
        self._thread.join()
        try:
            if kind is None:
                self._store.forget_leases(self._lease)
            else:
                self._store.release_lease(self._lease)
        except OSError as failure:  # it expires by itself
            _log.warning("the lease of trial %s cannot be given up: %s", self._trial_id, failure)

    def _renew(self) -> None:
        store = Store(self._store.root)  # one that does not wait: there is a next time
        while not self._ended.wait(self._attempt.lease_seconds / _RENEWALS_PER_LEASE):
            try:
                self._lease = store.renew_lease(self._lease)
            except LeaseLostError as lost:
                _log.warning("%s", lost)
                return
            except OSError as failure:
                _log.warning("the lease of trial %s cannot be renewed: %s", self._trial_id, failure)
