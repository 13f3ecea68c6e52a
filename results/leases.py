"""Leases: who trains a trial right now, so that two sweeps on one store never train the same one at once."""

import json
import time
import uuid
from dataclasses import asdict, dataclass, field, replace

from results.files import Files, StoreError
from results.processes import Process, this_process

__all__ = ["LEASE_SECONDS", "Lease", "LeaseLostError", "LeaseWatch", "Leases", "TrialLeasedError"]

LEASE_SECONDS = 60.0
_LEASES, _SUFFIX = "leases", ".json"
_UNKNOWN = Process(host="an unknown host", pid=0, place="", started="")


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One attempt's right to train a trial, for `seconds` after each renewal.

    Attributes:
        trial_id: of the trial.
        number: how often the trial was taken up; the highest number holds the lease.
        sweep: token of the driver that handed the trial out.
        attempt: which of that driver's attempts at the trial this is.
        seconds: how long without a renewal until it expires.
        renewals: how often it was renewed.
        released: True if the attempt has ended.
        process: who holds it.
        owner: token of the attempt.
    """

    trial_id: str
    number: int
    sweep: str
    attempt: int
    seconds: float = LEASE_SECONDS
    renewals: int = 0
    released: bool = False
    process: Process = field(default_factory=this_process)
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def state(self) -> str:
        """Text that differs after each renewal."""
        return f"{self.owner} {self.renewals}"

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.trial_id}.{self.number}{_SUFFIX}"


class TrialLeasedError(StoreError):
    """Somebody else trains the trial right now."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"trial {lease.trial_id} is being trained by {lease.process}")
        self.lease = lease


class LeaseLostError(StoreError):
    """An attempt was silent for so long that another one has taken its trial over."""


class Leases:
    """A store's leases, `leases/<trial id>.<number>.json`.

    A lease is taken by creating the file with the next number, which only one of many contenders can do; taking over
    an expired lease is the same. So nobody ever deletes or replaces another attempt's file while it counts. The files
    of a trial go away when it is done.
    """

    files: Files

    def leases(self) -> dict[str, Lease]:
        """Return by trial id who trains what right now, or did when it died."""
        numbers: dict[str, int] = {}
        for name in self.files.names(_LEASES):
            trial_id, _, number = name.removesuffix(_SUFFIX).rpartition(".")
            if number.isdigit():
                numbers[trial_id] = max(int(number), numbers.get(trial_id, 0))
        found = {trial_id: self._read_lease(trial_id, number) for trial_id, number in numbers.items()}
        return {trial_id: lease for trial_id, lease in found.items() if lease is not None and not lease.released}

    def take_lease(
        self, trial_id: str, *, sweep: str, attempt: int = 1, seconds: float = LEASE_SECONDS, expired: str = ""
    ) -> Lease:
        """Take a trial's lease, for an attempt that is about to train it.

        A lease is free if there is none, if it was released, if its process is known to be gone, if it is `expired`, or
        if it is an earlier attempt's of the same sweep on another machine: a driver tries again once it knows that the
        last attempt has ended.

        Args:
            trial_id: of the trial.
            sweep: token of the driver.
            attempt: which of the driver's attempts this is, from 1.
            seconds: how long without a renewal until the lease expires.
            expired: state of the lease that a `LeaseWatch` has seen expire.

        Raises:
            TrialLeasedError: somebody else has it.
        """
        while True:
            last = self._last_lease(trial_id)
            if last is not None and not _is_free(last, sweep, attempt, expired):
                raise TrialLeasedError(last)
            number = 1 if last is None else last.number + 1
            lease = Lease(trial_id=trial_id, number=number, sweep=sweep, attempt=attempt, seconds=seconds)
            if self.files.create(_to_bytes(lease), _LEASES, lease.name) or self._holds(lease):
                return lease

    def check_lease(self, lease: Lease) -> None:
        """Make sure that a lease is still its attempt's.

        Raises:
            LeaseLostError: another attempt has taken over.
        """
        if not self._holds(lease) or self.files.exists(_LEASES, replace(lease, number=lease.number + 1).name):
            raise LeaseLostError(
                f"trial {lease.trial_id} was taken over after {lease.process} had been silent for too long; "
                "what the new owner stores counts"
            )

    def renew_lease(self, lease: Lease) -> Lease:
        """Renew a lease and return it as it is now; raises like `check_lease`."""
        self.check_lease(lease)
        renewed = replace(lease, renewals=lease.renewals + 1)
        self.files.write(_to_bytes(renewed), _LEASES, lease.name)
        return renewed

    def release_lease(self, lease: Lease) -> None:
        """Give a lease up, if it still is the attempt's, so that anybody may train the trial."""
        if not self._holds(lease):
            return
        try:
            self.files.write(_to_bytes(replace(lease, released=True)), _LEASES, lease.name)
        except OSError:  # deleting needs no room on a full disk
            self.files.remove(_LEASES, lease.name)

    def forget_leases(self, lease: Lease) -> None:
        """Delete the leases of a trial that is done, up to the given one; later attempts see that it is done."""
        for number in range(lease.number, 0, -1):
            self.files.remove(_LEASES, replace(lease, number=number).name)

    def _last_lease(self, trial_id: str) -> Lease | None:
        prefix = f"{trial_id}."
        names = [name for name in self.files.names(_LEASES) if name.startswith(prefix)]
        numbers = [int(text) for text in (name[len(prefix) : -len(_SUFFIX)] for name in names) if text.isdigit()]
        return self._read_lease(trial_id, max(numbers)) if numbers else None

    def _read_lease(self, trial_id: str, number: int) -> Lease | None:
        """Read one lease; None if it is gone, an unknown owner's if its file cannot be read (yet)."""
        unknown = Lease(trial_id=trial_id, number=number, sweep="", attempt=0, process=_UNKNOWN, owner="")
        try:
            content = json.loads(self.files.read(_LEASES, unknown.name))
            return Lease(**{**content, "process": Process(**content["process"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            return unknown

    def _holds(self, lease: Lease) -> bool:
        """Tell whether the file of that number is this attempt's."""
        found = self._read_lease(lease.trial_id, lease.number)
        return found is not None and found.owner == lease.owner


class LeaseWatch:
    """Watches somebody else's lease and judges when it has expired.

    It has if it did not change for its whole duration on the watcher's own clock: the clocks of two machines are never
    compared.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._since = time.monotonic()

    def is_over(self, now: Lease | None) -> bool:
        """Tell, given the lease as it is now, whether the trial may be taken up."""
        if now is None or now.released:
            return True
        if now.state != self.lease.state:
            self.lease, self._since = now, time.monotonic()
        return now.process.is_gone or time.monotonic() - self._since > now.seconds


def _is_free(lease: Lease, sweep: str, attempt: int, expired: str) -> bool:
    ended = lease.sweep == sweep and lease.attempt < attempt and not lease.process.is_known_here
    return lease.released or ended or lease.state == expired or lease.process.is_gone


def _to_bytes(lease: Lease) -> bytes:
    return json.dumps(asdict(lease), sort_keys=True, indent=1).encode()
