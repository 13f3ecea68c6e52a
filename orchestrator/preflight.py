"""What is checked and prepared before the first trial of a sweep starts."""

import logging

from orchestrator.plan import Plan
from orchestrator.tracking_check import check_tracking
from results.files import StoreError
from results.store import Store
from results.trial_rows import trial_row
from trainables.build import check_prepared, open_prepared
from trainables.resolve import resolve
from trainables.shared_cache import share_prepared

__all__ = ["prepare_sweep"]

_log = logging.getLogger(__name__)


def prepare_sweep(plan: Plan, store: Store, cache: str, tracking: str, shared_cache: str = "") -> None:
    """Find the user's mistakes, prove that the store can be written, and prepare every data set on this machine.

    Raises:
        MmptError: something is wrong; no trial was started.
    """
    warning = check_tracking(tracking)
    if warning:
        _log.warning("%s; the sweep goes on", warning)
    store.prepare()
    try:
        _prepare(plan, store, cache, shared_cache)
    except OSError as error:
        raise StoreError(f"nothing was started: {error}") from error


def _prepare(plan: Plan, store: Store, cache: str, shared_cache: str) -> None:
    resolved_trials = ((trial.trial_id, resolve(trial.spec)) for trial in plan.trials)
    store.write_plan(plan.name, (trial_row(trial_id, one.spec, one.facts()) for trial_id, one in resolved_trials))
    for spec in {trial.fingerprint: trial.spec for trial in plan.trials}.values():
        resolved = resolve(spec)
        check_prepared(resolved, cache)
        prepared = open_prepared(resolved, cache, shared_cache=shared_cache)
        share_prepared(resolved.fingerprint, cache, shared_cache)
        store.write_samples(prepared.to_samples(spec.dataset))
