"""How many workers start at once, and who gets one that has become free."""

from types import SimpleNamespace
from typing import Any, cast

from ray.tune.search import Searcher

from orchestrator.searcher import PlanSearcher
from orchestrator.warm_workers import PatientScheduler, WarmWorkers


class Endless:
    """Attempts that always have another trial."""

    schedule = SimpleNamespace(exhausted=False)

    def next(self) -> tuple[Any, Any]:
        return "planned", SimpleNamespace(to_config=dict)


def _searcher(most_starts: int, limit: int = 100) -> PlanSearcher:
    guard: Any = SimpleNamespace(check=lambda: None)
    return PlanSearcher(cast("Any", Endless()), guard, limit, WarmWorkers(most_starts))


def test_no_more_workers_start_at_once_than_allowed() -> None:
    searcher = _searcher(2)
    assert [searcher.suggest(name) for name in "abc"] == [{}, {}, None]
    searcher.workers.started("a")
    assert [searcher.suggest(name) for name in "cd"] == [{}, None]
    assert set(searcher.trials) == {"a", "b", "c"}


def test_a_free_worker_takes_a_trial_while_others_start() -> None:
    searcher = _searcher(1)
    searcher.suggest("a")
    searcher.workers.started("a")
    searcher.suggest("b")  # its worker starts
    searcher.workers.ended("a", alive=True)
    assert [searcher.suggest(name) for name in "cd"] == [{}, None]
    searcher.workers.started("c")
    assert searcher.suggest("d") is None, "b's worker has not started yet"
    searcher.workers.started("b")
    assert searcher.suggest("d") == {}


def test_a_worker_that_died_makes_place_for_a_start_only() -> None:
    searcher = _searcher(1)
    for name in ("a", "b"):
        searcher.suggest(name)
        searcher.workers.ended(name, alive=False)  # while it started
    assert [searcher.suggest(name) for name in "cd"] == [{}, None]


def test_the_limit_of_an_experiment_ends_the_search() -> None:
    searcher = _searcher(5, limit=1)
    assert [searcher.suggest(name) for name in "ab"] == [{}, Searcher.FINISHED]


def test_the_scheduler_never_takes_a_trial_out_of_order() -> None:
    """A trial that Tune is told to run gets a free worker, and the worker that starts for it ends."""
    waiting = SimpleNamespace(get_live_trials=lambda: {SimpleNamespace(status="PENDING")})
    assert PatientScheduler().choose_trial_to_run(waiting) is None  # type: ignore[func-returns-value]
