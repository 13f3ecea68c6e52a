"""What a worker is told: one trial, where things are, and what it may use."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from trainables.attempt import Attempt

__all__ = ["TrialTask"]


@dataclass(frozen=True, kw_only=True)
class TrialTask:
    """What a worker is told: which trial, where things are, and what it may use. Plain data.

    Attributes:
        trial_id: the id that planning gave it.
        spec: `TrialSpec.to_config()` of the resolved spec.
        store: absolute root of the store.
        cache: absolute folder of prepared data.
        shared_cache: folder or bucket URL from which a machine that lacks them takes prepared data; "" for none.
        fingerprint: of the prepared data, as planning found it; "" if the worker is to find out.
        data_root: folder of the raw files on the driver, for a worker that has to prepare them; "" if there are none.
        requires: name -> id of the trials whose weights the method receives.
        keep_model: True to keep the trained weights for other trials.
        cpus: CPU share; also the number of torch threads.
        gpus: GPU share; 0 computes on the CPU.
        memory: GiB of main memory that Ray sets aside for it.
        labels: that its node must have.
        custom: amounts of what nodes declare.
        versions: what the driver runs, see `trainables.code_version`; a worker that runs anything else refuses.
        cpus: CPU share of a worker; also the number of torch threads.
        gpus: GPU share of a worker; 0 computes on the CPU.
        workers: processes that train it together, each with these shares.
        checkpoint_seconds: at the end of an epoch, save a checkpoint if the last one is older than this.
        attempt: which attempt at the trial this is.
    """

    trial_id: str
    spec: Mapping[str, Any]
    store: str
    cache: str
    shared_cache: str = ""
    fingerprint: str = ""
    data_root: str = ""
    requires: Mapping[str, str] = field(default_factory=dict)
    keep_model: bool = False
    cpus: float = 1
    gpus: float = 0
    memory: float = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    custom: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    checkpoint_seconds: float = 10.0
    attempt: Attempt = field(default_factory=Attempt)

    def to_config(self) -> dict[str, Any]:
        """Return plain data for `from_config`."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Rebuild a task."""
        return cls(**{**config, "attempt": Attempt(**config.get("attempt", {}))})
