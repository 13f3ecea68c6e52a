"""The pace at which curves of running trials reach MLflow, on a clock of the test's own."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator import live_sender
from orchestrator.live_sender import LiveSender
from orchestrator.live_trials import LiveTrials
from results.schema import HistoryRow
from search_spaces.spec import TrialSpec

SPEC = TrialSpec(dataset="toy", method="naive")


class Slow:
    """An MLflow whose every call takes a while, and that notes what is sent."""

    renewed = 0

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.now, self.seconds = 1000.0, seconds
        self.sent: list[tuple[str, int]] = []
        monkeypatch.setattr(live_sender, "time", SimpleNamespace(monotonic=lambda: self.now))

    def attempt(self, call: Any) -> bool:
        self.now += self.seconds
        call(self)
        return True

    def begin(self, trial_id: str, spec: TrialSpec) -> None:
        del trial_id, spec

    def extend(self, trial_id: str, spec: TrialSpec, points: list[Any]) -> None:
        del spec
        self.sent.append((trial_id, len(points)))


def _live(*trial_ids: str) -> LiveTrials:
    live = LiveTrials()
    for trial_id in trial_ids:
        live.start(trial_id, SPEC)
    return live


def _progress(live: LiveTrials, trial_id: str, epoch: int) -> None:
    live.extend(trial_id, SPEC, [HistoryRow(epoch, "train/loss", 1.0, 10)])


def test_points_take_a_hundredth_of_the_time_and_starts_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow, live = Slow(monkeypatch, 0.1), _live("a")
    sender = LiveSender(live, cast("Any", mlflow))
    assert sender.send_next()
    assert sender.pause_seconds == pytest.approx(9.9)
    _progress(live, "a", 1)
    assert not sender.send_next()
    live.start("b", SPEC)
    assert sender.send_next(), "that a trial runs is told at once"
    mlflow.now += sender.pause_seconds
    _progress(live, "a", 2)
    assert sender.send_next()
    assert mlflow.sent == [("a", 0), ("b", 0), ("a", 2)]
    assert not sender.send_next(), "nothing is left"


def test_trials_take_turns_and_none_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a", "b", "c")
    mlflow, live = Slow(monkeypatch, 2.0), _live(*names)
    sender = LiveSender(live, cast("Any", mlflow))
    while sender.send_next():
        pass
    mlflow.sent.clear()
    for epoch in range(1, 7):
        for name in names:
            _progress(live, name, epoch)
        mlflow.now += sender.pause_seconds
        assert sender.send_next()
        assert sender.pause_seconds <= 60.0 / len(names)
    assert [name for name, _ in mlflow.sent] == ["a", "b", "c", "a", "b", "c"]
