"""The plan: which trials a sweep needs, which of them are done, and in what order the rest can run."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from search_spaces.errors import InvalidValueError
from search_spaces.spec import TrialSpec
from trainables.each_modality import spread_modalities
from trainables.resolve import Resolved, resolve

__all__ = ["Plan", "PlannedTrial", "make_plan"]

State = Literal["done", "new", "waiting"]
Estimate = Callable[[TrialSpec], float | None]


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """One trial of a plan.

    Attributes:
        trial_id: its identity.
        spec: the resolved spec.
        fingerprint: of its data.
        requires: name -> id of the trials that must be finished first.
        state: `done` (in the store), `new` (can start now) or `waiting` (for a requirement that is not done).
        keep_model: True if a later trial of the plan, or the user, needs this one's weights.
        requested: False if only other trials need it.
        seconds: estimated duration; None if it is done, or no trial of its kind was ever finished here.
    """

    trial_id: str
    spec: TrialSpec
    fingerprint: str
    requires: Mapping[str, str]
    state: State
    keep_model: bool
    requested: bool
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep's trials, each after everything it requires, otherwise longest first."""

    name: str
    trials: tuple[PlannedTrial, ...]

    @property
    def todo(self) -> tuple[PlannedTrial, ...]:
        """Trials that are not done."""
        return tuple(trial for trial in self.trials if trial.state != "done")

    @property
    def done(self) -> tuple[PlannedTrial, ...]:
        """Trials that earlier sweeps finished."""
        return tuple(trial for trial in self.trials if trial.state == "done")

    def with_only(self, trial_ids: Collection[str]) -> "Plan":
        """Keep the done trials, those of `trial_ids` and what they require."""
        wanted: set[str] = set(trial_ids)
        for trial in reversed(self.trials):
            if trial.trial_id in wanted:
                wanted.update(trial.requires.values())
        kept = tuple(trial for trial in self.trials if trial.state == "done" or trial.trial_id in wanted)
        return replace(self, trials=kept)


def make_plan(
    name: str,
    specs: Iterable[TrialSpec],
    *,
    done_ids: Collection[str] = (),
    model_ids: Collection[str] = (),
    estimate: Estimate | None = None,
    keep_models: bool = False,
) -> Plan:
    """Plan a sweep. A pure function: it reads no store and writes nothing.

    Args:
        name: the sweep's name.
        specs: the trials asked for; equal ones count once, one for `each` modality counts as so many.
        done_ids: trials that the store has.
        model_ids: trials whose weights the store has.
        estimate: seconds that a trial will take, from past trials of its kind.
        keep_models: keep the weights of the trials asked for; those that are done but have none run again.

    Raises:
        UnknownNameError, InvalidValueError: a spec names something that does not exist or is not allowed.
        MmptError: there is nothing to run, or trials require each other in a circle.
    """
    requested = {item.trial_id: item for item in map(resolve, spread_modalities(specs))}
    if not requested:
        raise InvalidValueError("grid", name, "at least one trial; this one is empty")
    nodes = _closure(requested)
    requires = {
        trial_id: {label: resolve(spec).trial_id for label, spec in node.requirements().items()}
        for trial_id, node in nodes.items()
    }
    wanted = set(requested) if keep_models else set()
    done = _done(nodes, requires, set(done_ids), set(model_ids), wanted)
    needed = wanted | {need for trial_id in nodes if trial_id not in done for need in requires[trial_id].values()}
    seconds = {
        trial_id: estimate(node.spec) if estimate and trial_id not in done else None for trial_id, node in nodes.items()
    }
    trials = []
    for trial_id in _order(nodes, requires, {key: value or 0.0 for key, value in seconds.items()}):
        waiting = any(need not in done for need in requires[trial_id].values())
        state: State = "done" if trial_id in done else "waiting" if waiting else "new"
        trials.append(
            PlannedTrial(
                trial_id=trial_id,
                spec=nodes[trial_id].spec,
                fingerprint=nodes[trial_id].fingerprint,
                requires=requires[trial_id],
                state=state,
                keep_model=trial_id in needed,
                requested=trial_id in requested,
                seconds=seconds[trial_id],
            )
        )
    return Plan(name=name, trials=tuple(trials))


def _closure(requested: Mapping[str, Resolved]) -> dict[str, Resolved]:
    nodes = dict(requested)
    open_nodes = list(nodes.values())
    while open_nodes:
        for spec in open_nodes.pop().requirements().values():
            needed = resolve(spec)
            if needed.trial_id not in nodes:
                nodes[needed.trial_id] = needed
                open_nodes.append(needed)
    return nodes


def _done(
    nodes: Mapping[str, Resolved],
    requires: Mapping[str, Mapping[str, str]],
    done: set[str],
    models: set[str],
    wanted: set[str],
) -> set[str]:
    """A finished trial whose weights are needed but were not kept has to run again."""
    finished = {trial_id for trial_id in nodes if trial_id in done}
    while True:
        needed = wanted.union(*(requires[trial_id].values() for trial_id in nodes if trial_id not in finished))
        lost = {trial_id for trial_id in finished if trial_id in needed and trial_id not in models}
        if not lost:
            return finished
        finished -= lost


def _order(
    nodes: Mapping[str, Resolved], requires: Mapping[str, Mapping[str, str]], seconds: Mapping[str, float]
) -> list[str]:
    """Sort so that requirements come first; among the free ones the longest remaining chain of work first."""
    dependents: dict[str, list[str]] = {trial_id: [] for trial_id in nodes}
    for trial_id, needs in requires.items():
        for need in set(needs.values()):
            dependents[need].append(trial_id)
    left = {trial_id: len(set(needs.values())) for trial_id, needs in requires.items()}
    free = [trial_id for trial_id, count in left.items() if count == 0]
    order: list[str] = []
    for trial_id in free:
        order.append(trial_id)
        for dependent in dependents[trial_id]:
            left[dependent] -= 1
            if left[dependent] == 0:
                free.append(dependent)
    assert len(order) == len(nodes), "resolving a spec refuses circles"
    return _longest_first(order, dependents, requires, seconds)


def _longest_first(
    order: list[str],
    dependents: Mapping[str, list[str]],
    requires: Mapping[str, Mapping[str, str]],
    seconds: Mapping[str, float],
) -> list[str]:
    chain: dict[str, float] = {}
    level: dict[str, int] = {}
    for trial_id in reversed(order):
        chain[trial_id] = seconds[trial_id] + max((chain[next_id] for next_id in dependents[trial_id]), default=0.0)
    for trial_id in order:
        level[trial_id] = 1 + max((level[need] for need in requires[trial_id].values()), default=0)
    return sorted(order, key=lambda trial_id: (level[trial_id], -chain[trial_id]))
