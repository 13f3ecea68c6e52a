"""Trials of several workers on a real Ray cluster of two nodes: two at once, and one that needs both nodes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import toys
from ray.cluster_utils import Cluster
from several_workers import assert_close

from orchestrator.events import Listener
from orchestrator.plan import PlannedTrial
from orchestrator.sweep import Sweep
from results.store import Store
from search_spaces import TrialSpec

pytestmark = pytest.mark.slow

EQUAL = [toys.spec(method, seed=seed, p_train=0.2) for method, seed in (("naive", 0), ("naive", 1), ("mtl", 0))]
FAILING, DYING = toys.spec("failing_follower"), toys.spec("dying_follower")
SPREAD = toys.spec("naive", seed=2)


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TOY_MARK", str(tmp_path / "died"))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    yield cluster.address
    cluster.shutdown()


def sweep(specs: Sequence[TrialSpec], folder: Path, cache: Path, workers: int = 1) -> Sweep:
    return Sweep(
        specs,
        store=folder,
        name="test",
        tracking="none",
        cache=cache,
        resources={"cpus": 0.5, "workers_per_trial": workers},
        methods=[toys.FailingFollower, toys.DyingFollower],
        datasets=toys.DATASETS,
    )


class AtOnce(Listener):
    def __init__(self) -> None:
        self.running: set[str] = set()
        self.most = 0

    def trial_started(self, trial: PlannedTrial) -> None:
        self.running.add(trial.trial_id)
        self.most = max(self.most, len(self.running))

    def trial_finished(self, trial: PlannedTrial) -> None:
        self.running.discard(trial.trial_id)

    def trial_retried(self, trial: PlannedTrial, error: str) -> None:
        self.running.discard(trial.trial_id)

    def trial_failed(self, trial: PlannedTrial, error: str) -> None:
        self.running.discard(trial.trial_id)


def assert_trained_by(number: int, store: Store, alone: Store) -> None:
    for record in alone.records():
        other = store.read_trial(record.trial_id)
        assert other.fact("workers") == number
        assert_close(record, other)


def test_they_give_the_numbers_of_one_process_and_report_the_worker_that_failed(
    address: str, tmp_path: Path, cache: Path
) -> None:
    at_once = AtOnce()
    pairs = sweep([DYING, FAILING, *EQUAL], tmp_path / "pairs", cache, workers=2)
    outcome = pairs.run(address=address, listeners=[at_once])
    assert at_once.most == 2
    assert (tmp_path / "died").exists(), "a worker was killed, and its trial tried again"
    assert len(outcome.trained) == len(EQUAL) + 1
    assert [error.partition(": ")[2] for error in outcome.failed.values()] == [
        "worker 2 of 2: ValueError: this worker raised on purpose"
    ]
    assert not outcome.pending
    alone = sweep(EQUAL, tmp_path / "alone", cache)
    assert not alone.run(inline=True).failed
    assert_trained_by(2, pairs.store, alone.store)

    across = sweep([SPREAD], tmp_path / "across", cache, workers=3)
    assert len(across.run(address=address).trained) == 1, "a node has room for two workers only"
    alone = sweep([SPREAD], tmp_path / "alone_too", cache)
    assert not alone.run(inline=True).failed
    assert_trained_by(3, across.store, alone.store)
