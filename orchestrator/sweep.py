"""The Python API: a grid and a store become a plan, a finished sweep, data frames and tables."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from orchestrator.check import Question
from orchestrator.estimate import past_durations
from orchestrator.events import Listener, Outcome
from orchestrator.execution import Execution
from orchestrator.mlflow_parents import note_data_sets
from orchestrator.plan import Plan, make_plan
from orchestrator.preflight import prepare_sweep
from orchestrator.resources import checked_resources
from orchestrator.schedule import Schedule
from orchestrator.status import SweepStatus, sweep_status
from orchestrator.sweep_inputs import added_classes, checked_specs
from orchestrator.tracking import Tracker, TrackingSummary, tracking_uri
from orchestrator.tracking_uri import DISABLED
from results.files import absolute_root
from results.long_form import frame
from results.render import to_markdown
from results.report import build_table
from results.store import Store
from search_spaces.errors import InvalidValueError
from search_spaces.grid import Grid
from search_spaces.preset import Preset
from search_spaces.presets import PRESETS
from search_spaces.spec import TrialSpec
from trainables.api import Dataset, Method
from trainables.cache_root import default_cache_root, default_shared_cache
from trainables.catalogs import DATASETS, METHODS
from trainables.each_modality import spread_modalities
from trainables.resolve import resolve

__all__ = ["Sweep"]

Only = Literal["missing", "failed"]


class Sweep:
    """Trials, where their results go, and how they are run.

    Args:
        trials: a preset's name, a `Preset`, a `Grid` or any collection of `TrialSpec`s.
        store: folder or bucket URL of the results; a relative folder counts from the current directory.
        name: the sweep's name in MLflow; by default the preset's name or the store folder's.
        tracking: MLflow's tracking URI; by default a SQLite file in the store; "none" switches it off.
        methods: the user's own `Method` classes.
        datasets: the user's own `Dataset` classes.
        resources: of one trial, see `orchestrator.resources.checked_resources`; by default the preset's, else one CPU.
        cache: folder of prepared data; by default `$MMPT_CACHE` or the user's cache folder.
        shared_cache: folder or bucket URL in which machines share it; by default `$MMPT_SHARED_CACHE`, or none.
        keep_models: keep the weights of every trial asked for; done trials whose weights are gone train again.

    Raises:
        MmptError: a name, value or path is wrong; nothing has been started or written.
    """

    def __init__(
        self,
        trials: str | Preset | Grid | Iterable[TrialSpec],
        *,
        store: str | os.PathLike[str],
        name: str | None = None,
        tracking: str | None = None,
        methods: Sequence[type[Method]] = (),
        datasets: Sequence[type[Dataset]] = (),
        resources: Mapping[str, Any] | None = None,
        cache: str | os.PathLike[str] | None = None,
        shared_cache: str | os.PathLike[str] | None = None,
        keep_models: bool = False,
    ) -> None:
        preset = PRESETS.get(trials) if isinstance(trials, str) else trials
        self.specs = checked_specs(preset.grid if isinstance(preset, Preset) else preset)
        self.store = Store(absolute_root(store))
        self.name = name or (trials if isinstance(trials, str) else Path(self.store.root).name)
        self.resources = checked_resources(
            resources or (preset.resources if isinstance(preset, Preset) else {"cpus": 1})
        )
        self.cache = str(Path(cache or default_cache_root()).absolute())
        shared = shared_cache or default_shared_cache()
        self.shared_cache = absolute_root(shared) if shared else ""
        self.tracking = tracking_uri(tracking, self.store.root)
        self.tracked: TrackingSummary | None = None
        self.keep_models = keep_models
        self._extensions = {
            "methods": added_classes(METHODS, methods, Method),
            "datasets": added_classes(DATASETS, datasets, Dataset, [spec.dataset for spec in self.specs]),
        }

    def plan(self, *, verify: bool = False) -> Plan:
        """Say what would run and why, writing nothing; with `verify` every byte of finished trials is checked."""
        done_ids = self.store.done_ids(verify=verify)
        return make_plan(
            self.name,
            self.specs,
            done_ids=done_ids,
            model_ids=self.store.model_ids(),
            estimate=past_durations(self.store, done_ids),
            keep_models=self.keep_models,
        )

    def status(self, *, verify: bool = False) -> SweepStatus:
        """Say what is done, failed, corrupt and missing; `verify` as in `plan`."""
        return sweep_status(self.plan(verify=verify), self.store, verify=verify)

    def question(self, address: str | None = None) -> Question:
        """Return what `orchestrator.doctor.examine` has to look for before these trials can run at an address.

        Raises:
            MmptError: the trials cannot be planned on this machine.
        """
        return self._execution(address=address).question(map(resolve, spread_modalities(self.specs)), self.tracking)

    def run(
        self,
        *,
        inline: bool = False,
        only: Only | None = None,
        fail_fast: bool = False,
        address: str | None = None,
        max_concurrent: int | None = None,
        verify: bool = False,
        retries: int = 2,
        listeners: Sequence[Listener] = (),
    ) -> Outcome:
        """Train what is not done yet.

        Args:
            inline: in this process, one after the other, without ray.
            only: `missing` leaves earlier failures alone; `failed` runs nothing but those.
            fail_fast: start nothing more after the first failure.
            address: a running Ray cluster; None starts a local one.
            max_concurrent: most trials at once.
            verify: check every byte of finished trials first; damaged ones are trained again.
            retries: how often a trial is handed out again after its worker died.
            listeners: told of every event besides MLflow.

        Raises:
            MmptError: something is wrong that can be known before the first trial.
            SweepStoppedError: the cluster or the store is lost, or a disk is full; running again goes on.
            KeyboardInterrupt: Ctrl-C; what is done is kept, running again goes on.
        """
        plan = self.plan(verify=verify)
        if only:
            plan = plan.with_only(self._chosen(plan, only))
        execution = self._execution(inline=inline, address=address, max_concurrent=max_concurrent, retries=retries)
        execution.check()
        prepare_sweep(plan, self.store, self.cache, self.tracking, self.shared_cache)
        execution = execution.measured(plan)
        tracker = None if self.tracking == DISABLED else Tracker(self.store.root, self.tracking, sweep=self.name)
        schedule = Schedule(plan, (*listeners, tracker) if tracker else listeners, fail_fast=fail_fast)
        schedule.begin()
        try:
            execution.work_off(schedule)
        finally:
            outcome = schedule.end()
            self.tracked = tracker.close() if tracker else None
        if self.tracked and not self.tracked.error:
            note_data_sets(self.store, self.tracking)
        return outcome

    def results(self) -> pd.DataFrame:
        """Return every score of every finished trial of this sweep, in long form."""
        ids = {trial.trial_id for trial in self.plan().done}
        scores = frame(self.store)
        return scores[scores["trial_id"].isin(ids)].reset_index(drop=True)

    def table(self, name: str, **options: Any) -> str:
        """Return one kind of table of the store, for instance `mmpt_profile`, as Markdown.

        `options` are those of `results.options.Options`; `results.report.build_table` gives the cells themselves.
        """
        return "\n\n".join(to_markdown(table) for table in build_table(self.store, name, **options))

    def _execution(self, **how: Any) -> Execution:
        return Execution(
            store=self.store,
            cache=self.cache,
            shared_cache=self.shared_cache,
            resources=self.resources,
            extensions=self._extensions,
            **how,
        )

    def _chosen(self, plan: Plan, only: Only) -> Collection[str]:
        failed = self.store.stored_failures().keys() - {trial.trial_id for trial in plan.done}
        if only == "failed":
            return failed
        if only != "missing":
            raise InvalidValueError("only", only, "'missing' or 'failed'")
        for trial in plan.trials:  # requirements come first, so that this reaches every descendant
            if failed.intersection(trial.requires.values()):
                failed.add(trial.trial_id)
        return {trial.trial_id for trial in plan.todo} - failed
