"""Weakness scores against golden numbers."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.losses import training_loss
from results.schema import Samples, TrialRecord
from results.weakness import probe_train_losses, weakness_scores

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "mmpt_weakness.json").read_text())


@pytest.mark.parametrize(("kind", "targets"), [("ce", "labels"), ("bce", "multilabel_targets")])
def test_two_modalities(kind: str, targets: Any) -> None:
    goal = np.array(GOLDEN[targets])
    losses = {name: training_loss(np.array(GOLDEN[f"train_logits_{name}"]), goal) for name in ("m1", "m2")}
    assert losses == pytest.approx(GOLDEN[kind], rel=1e-9)
    scores = weakness_scores(losses)
    assert scores["m1"].score == pytest.approx(GOLDEN[f"weakness_of_m1_{kind}"], rel=1e-9)
    assert scores["m2"].score == pytest.approx(1 / GOLDEN[f"weakness_of_m1_{kind}"], rel=1e-9)


def test_three_modalities() -> None:
    case = GOLDEN["three_modality_extension_(ours)"]
    scores = {name: weakness.score for name, weakness in weakness_scores(case["losses"]).items()}
    assert scores == pytest.approx(case["score_vs_mean_of_others"], rel=1e-9)


def test_a_vanishing_loss_gives_infinity_and_keeps_both_losses() -> None:
    weakness = weakness_scores({"audio": 0.5, "image": 1e-7})["audio"]
    assert weakness.score == math.inf
    assert (weakness.loss, weakness.others_loss) == (0.5, 1e-7)


def test_one_loss_compares_nothing() -> None:
    assert weakness_scores({"audio": 0.5}) == {}


def test_losses_come_from_whole_trial_rows(samples: Samples, build_record: Callable[..., TrialRecord]) -> None:
    assert probe_train_losses(build_record(samples)) == {"audio": 0.5, "image": 0.75}
