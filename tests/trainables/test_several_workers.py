"""A trial on several processes: what looks across rows, resuming with another number, and who fails."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import toys
from several_workers import Followers, assert_close, planned
from tasks import task_of
from torch import Tensor, nn
from torch.nn import functional

from search_spaces.spec import TrialSpec
from trainables.api import InputInfo
from trainables.attempt import WorkerLostError, problem_of
from trainables.encoders._mean_of_frames import MeanOfFrames
from trainables.encoders.conv import Conv
from trainables.trial import Trial
from trainables.whole_batch import RowsError, shares
from trainables.workers import ALONE, Workers

ROWS = 7


class Attending(nn.Module):
    """Attention with drop-out and a mask."""

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = inputs[:, None]
        mask = inputs.new_zeros(inputs.shape[1], inputs.shape[1])
        mask[:, 1] = -1e4
        p = 0.4 if self.training else 0.0
        attended = functional.scaled_dot_product_attention(tokens, tokens, tokens, attn_mask=mask, dropout_p=p)
        return attended.flatten(1)


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(4, 3), (4,)),
    "batch_norm": (lambda: nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)), (4,)),
    "drop_out": (lambda: nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.5), nn.Linear(6, 3), nn.Dropout(0.1)), (4,)),
    "clips": (lambda: MeanOfFrames(InputInfo(kind="image", shape=(5, 1, 8, 8)), Conv), (5, 1, 8, 8)),
    "attention": (lambda: nn.Sequential(nn.Linear(4, 4), Attending(), nn.Linear(12, 3)), (3, 4)),
}


def learned(name: str, workers: Workers, rows: int = ROWS) -> list[Any]:
    """Return features, gradients and buffers of a model, and a number drawn after it.

    The loss needs the whole batch, and uses a weight both within what is spread and outside.
    """
    make, shape = MODELS[name]
    torch.manual_seed(0)
    model, inputs = make().double(), torch.randn(rows, *shape, dtype=torch.float64)
    model.register_parameter("unreached", nn.Parameter(torch.ones(2)))
    features = workers.spread(rows, lambda own: model(inputs[own]))
    first = next(model.parameters())
    loss = functional.cross_entropy(features / features.detach().std(), torch.arange(rows) % 3) + first.square().sum()
    loss.backward()  # type: ignore[no-untyped-call]
    workers.average_gradients(model)
    gradients = [None if one.grad is None else one.grad.numpy() for one in model.parameters()]
    return [features.detach().numpy(), *gradients, *(b.numpy() for b in model.buffers()), torch.rand(3).numpy()]


@pytest.mark.parametrize("rows", [2, 3, ROWS])
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_spread_rows_give_the_features_gradients_and_statistics_of_all_rows(
    name: str, number: int, rows: int, followers: Followers
) -> None:
    alone = learned(name, ALONE, rows)
    with followers.led(number, learned_of, name, rows) as workers:
        mine = learned(name, workers, rows)
        every = [mine, *followers.answers()]
    for together in every:
        for one, other in zip(alone, together, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)


def learned_of(name: str, rows: int, workers: Workers) -> list[Any]:
    return learned(name, workers, rows)


def test_rows_are_shared_out_evenly() -> None:
    assert [shares(count, 3) for count in (3, 7, 8, 9)] == [[1, 1, 1], [3, 2, 2], [3, 3, 2], [3, 3, 3]]


def drawn_otherwise(workers: Workers) -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)
    inputs = torch.randn(ROWS, 3, 4)
    workers.spread(ROWS, lambda own: attention(inputs[own], inputs[own], inputs[own])[0].flatten(1))


def test_draws_that_cannot_be_shared_are_refused(followers: Followers) -> None:
    with (
        pytest.raises(RowsError, match="use workers_per_trial 1"),
        followers.led(2, drawn_otherwise) as workers,
    ):
        drawn_otherwise(workers)
    assert followers.answers()[0].startswith("RowsError")


NETWORKS = {
    "batch normalisation and drop-out": toys.spec(
        encoders={"left": "normalising_toy", "right": "normalising_toy"}, p_train=0.3
    ),
    "convolutions and a transformer with drop-out": TrialSpec(
        dataset="glyph_names",
        method="mtl",
        dataset_params={"cap": 20, "fonts": 1},
        encoders={"image": "conv_tiny", "text": "bert_tiny"},
        epochs=1,
        batch_size=32,
        p_train=0.3,
        patience=0,
    ),
}


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS)
def test_networks_that_look_across_rows_or_draw_learn_the_same(
    spec: TrialSpec, tmp_path: Path, cache: Path, followers: Followers
) -> None:
    store, trial = planned(spec, tmp_path, cache)
    task = task_of(trial, store, cache)
    list(Trial(task).epochs())
    alone = store.read_trial(task.trial_id)
    store.remove_folder(task.trial_id)
    list(followers.epochs(task, 2))
    assert followers.answers() == [None]
    assert_close(alone, store.read_trial(task.trial_id))


def test_a_trial_goes_on_with_another_number_of_workers(tmp_path: Path, cache: Path, followers: Followers) -> None:
    store, trial = planned(toys.spec("gblend", epochs=3, p_train=0.2), tmp_path, cache)
    task = task_of(trial, store, cache, checkpoint_seconds=0.0)
    list(Trial(task).epochs())
    whole = store.read_trial(task.trial_id)
    store.remove_folder(task.trial_id)
    for number, epochs in ((3, 4), (1, 4), (2, 2)):
        begun = followers.epochs(task, number) if number > 1 else Trial(task).epochs()
        for _ in range(epochs):
            next(begun)
        begun.close()
        if number > 1:
            assert all("WorkerLostError" in answer for answer in followers.answers())
        assert not store.is_done(task.trial_id)
    list(followers.epochs(task, 3))
    assert followers.answers() == [None, None]
    assert_close(whole, store.read_trial(task.trial_id))


def fails_alone(what: str, workers: Workers) -> None:
    workers.total(torch.ones(1))
    if workers.rank == workers.number - 1:
        if what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise torch.cuda.OutOfMemoryError("no room on my device") if what == "memory" else ValueError("my own mistake")
    workers.total(torch.ones(1))


@pytest.mark.parametrize(
    ("what", "cause", "message"),
    [
        ("mistake", "method", "worker 3 of 3: ValueError: my own mistake"),
        ("memory", "gpu_memory", "worker 3 of 3: OutOfMemoryError: no room on my device"),
    ],
)
def test_the_others_raise_the_error_of_the_worker_that_failed(
    what: str, cause: str, message: str, followers: Followers
) -> None:
    with pytest.raises(WorkerLostError) as lost, followers.led(3, fails_alone, what) as workers:
        fails_alone(what, workers)
    problem = problem_of(lost.value)
    assert (problem.cause, problem.error) == (cause, f"WorkerLostError: {message}")
    assert "in fails_alone" in problem.traceback.rpartition("WorkerLostError")[2], "the failing worker's own traceback"
    middle, last = followers.answers()
    assert message in middle
    assert last.endswith(message.rpartition(": ")[2])


def test_a_killed_worker_ends_the_trial_as_such() -> None:
    with (
        Followers(1) as own,
        pytest.raises(WorkerLostError, match="2 workers was killed") as lost,
        own.led(2, fails_alone, "killed") as workers,
    ):
        fails_alone("killed", workers)
    assert problem_of(lost.value).cause == "worker"


def differs(workers: Workers) -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    workers.check_equal(model)
    with torch.no_grad():
        model.weight[0, 0] += 1e-7 * workers.rank
    workers.check_equal(model)


def test_workers_whose_weights_differ_in_a_bit_stop(followers: Followers) -> None:
    with pytest.raises(WorkerLostError, match="no longer hold equal weights"), followers.led(2, differs) as workers:
        differs(workers)
    assert "no longer hold equal weights" in followers.answers()[0]
