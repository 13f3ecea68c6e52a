"""What a worker is told of a planned trial, in tests that do without a sweep."""

from pathlib import Path
from typing import Any

from orchestrator.plan import PlannedTrial
from results.store import Store
from trainables.task import TrialTask


def task_of(trial: PlannedTrial, store: Store, cache: Path, **changes: Any) -> TrialTask:
    """Return the task of a trial."""
    return TrialTask(
        trial_id=trial.trial_id,
        spec=trial.spec.to_config(),
        store=store.root,
        cache=str(cache),
        requires=dict(trial.requires),
        keep_model=trial.keep_model,
        **changes,
    )
