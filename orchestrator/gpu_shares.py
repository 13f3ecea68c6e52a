"""Which share of a GPU each kind of trial gets when the user leaves that to a measurement."""

import logging
from collections.abc import Callable, Iterable

from orchestrator.plan import PlannedTrial
from orchestrator.resources import SHARES
from results.memory_peaks import read_peak, write_peak
from results.store import Store
from search_spaces.errors import MmptError
from search_spaces.spec import content_hash
from trainables.memory_probe import MemoryUse
from trainables.resolve import resolve

__all__ = ["Measure", "gpu_kind", "gpu_shares", "share_for"]

_log = logging.getLogger(__name__)

Measure = Callable[[PlannedTrial], MemoryUse]

_MARGIN = 1.25  # longer texts than those measured, fragments, the probes after training
_CONTEXT_BYTES = 1024**3  # what CUDA and its libraries take for each process, which torch does not count


def gpu_shares(trials: Iterable[PlannedTrial], store: Store, total_bytes: int, measure: Measure) -> dict[str, float]:
    """Return `gpu_kind` -> share of a GPU for every kind among the trials.

    A kind that this store has not seen is measured once and remembered. One that cannot be measured gets a whole GPU,
    and a warning says so.

    Args:
        trials: to be trained.
        store: where measurements are kept.
        total_bytes: memory of the smallest GPU that a trial may get.
        measure: trains a trial for a few steps and reads the memory.
    """
    kinds = {gpu_kind(trial): trial for trial in trials}
    return {kind: _share(kind, trial, store, total_bytes, measure) for kind, trial in kinds.items()}


def share_for(peak_bytes: int, total_bytes: int) -> float:
    """Return the smallest share that holds a trial; the whole GPU if none does.

    >>> share_for(peak_bytes=4 * 1024**3, total_bytes=24 * 1024**3)
    0.25
    """
    need = peak_bytes * _MARGIN + _CONTEXT_BYTES
    return next((share for share in sorted(SHARES.values()) if need <= share * total_bytes), 1.0)


def gpu_kind(trial: PlannedTrial) -> str:
    """Return the content hash of what decides a trial's memory: method, data, encoders, fusion and batch size.

    Of a method's parameters those that are no real numbers: loss weights and rates take no memory.
    """
    resolved = resolve(trial.spec)
    spec = resolved.spec
    facts = {
        "method": spec.method,
        "method_params": {name: value for name, value in spec.method_params.items() if not isinstance(value, float)},
        "fusion": spec.fusion,
        "batch_size": spec.batch_size,
        "data": resolved.fingerprint,
        "versions": dict(resolved.versions),
    }
    return content_hash(facts)


def _share(kind: str, trial: PlannedTrial, store: Store, total_bytes: int, measure: Measure) -> float:
    peak = read_peak(store.files, kind)
    if peak is None:
        try:
            peak = measure(trial).peak_bytes
        except MmptError as error:
            _log.warning("the memory of %s on %s cannot be measured, it gets a whole GPU: %s", *_about(trial), error)
            return 1.0
        write_peak(store.files, kind, peak, dict(zip(("method", "dataset"), _about(trial), strict=True)))
    return share_for(peak, total_bytes)


def _about(trial: PlannedTrial) -> tuple[str, str]:
    return trial.spec.method, trial.spec.dataset
