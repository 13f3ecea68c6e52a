from pathlib import Path
from typing import Any

import pytest
import toys

from orchestrator.sweep import Sweep
from search_spaces import Grid, InvalidValueError, MmptError, UnknownNameError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"resources": {"cpu": 1}}, "unknown resource 'cpu'; did you mean 'cpus'"),
        ({"methods": [object]}, "expected a subclass of Method"),
        ({"datasets": [toys.Naive]}, "expected a subclass of Dataset"),
        ({"tracking": "redis://x"}, "redis"),
    ],
)
def test_what_a_user_hands_over_is_checked(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(MmptError, match=message):
        Sweep([toys.spec()], store=tmp_path, **{"tracking": "none", **wrong})


def test_trials_are_specs(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="a preset, a Grid or TrialSpecs"):
        Sweep({"dataset": "av_digits"}, store=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="unknown preset"):
        Sweep("smok", store=tmp_path)


def test_only_means_what_it_says(tmp_path: Path, cache: Path) -> None:
    sweep = Sweep([toys.spec("orphan"), toys.spec("mtl")], store=tmp_path, tracking="none", cache=cache)
    assert len(sweep.run(inline=True).failed) == 1
    again = sweep.run(inline=True, only="missing")
    assert not again.failed
    assert not again.pending
    assert len(sweep.run(inline=True, only="failed").failed) == 1
    with pytest.raises(InvalidValueError, match="only: 'faild'"):
        sweep.run(inline=True, only="faild")  # type: ignore[arg-type]


def test_data_that_cannot_be_used_stops_the_sweep_before_its_first_trial(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toys.ToyPair, "_targets", lambda self, bits: bits[:, 0] * 1.0)
    monkeypatch.setattr(toys.ToyPair, "content", lambda self: {"broken": "1"})
    grid = Grid({"dataset": "toy_pair", "method": "naive", **toys.QUICK, "seed": 77})
    sweep = Sweep(grid, store=tmp_path / "store", tracking="none", cache=tmp_path / "cache")
    with pytest.raises(MmptError, match="float64"):
        sweep.run(inline=True)
    assert not (tmp_path / "store" / "failures").exists()


def test_workers_of_a_trial_need_ray_and_room(tmp_path: Path, cache: Path) -> None:
    resources = {"cpus": 1, "workers_per_trial": 512}
    sweep = Sweep([toys.spec()], store=tmp_path, tracking="none", cache=cache, resources=resources)
    with pytest.raises(MmptError, match=r"expected 1 in this process \(--inline\)"):
        sweep.run(inline=True)
    with pytest.raises(MmptError, match="one trial needs 512 CPU"):
        sweep.run()
