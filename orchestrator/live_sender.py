"""Brings the curves of running trials to MLflow, at a pace that leaves the machine to the trials."""

import time

from orchestrator.live_trials import LiveTrial, LiveTrials
from orchestrator.mlflow_writer import SweepWriter
from orchestrator.patient_writer import PatientWriter

__all__ = ["LiveSender"]

_SHARE = 0.01
"""Of the time, spent on new points: a server, often on the same machine, is dearer with many small requests."""
_LONGEST_SECONDS = 60.0
"""Between two turns of one trial, however many run and however slow MLflow is."""


class LiveSender:
    """Sends what is new of running trials; that a trial runs is told at once, its points wait for their turn.

    Args:
        live: what the driver knows.
        mlflow: what is written through.
    """

    def __init__(self, live: LiveTrials, mlflow: PatientWriter) -> None:
        self._live, self._mlflow = live, mlflow
        self._sent: dict[str, int] = {}  # trial id -> points sent through the present writer
        self._renewed = 0
        self._next_turn = 0.0

    @property
    def pause_seconds(self) -> float:
        """Seconds until points are sent again."""
        return max(0.0, self._next_turn - time.monotonic())

    def send_next(self) -> bool:
        """Send what is most urgent, if its turn has come; False if nothing was sent."""
        behind = self._live.behind()
        if not behind or (behind[0].taken is not None and self.pause_seconds):
            return False
        began = time.monotonic()
        sent = self.send(behind[0])
        ended = behind[0].turn = time.monotonic()
        self._next_turn = ended + min((ended - began) * (1 / _SHARE - 1), _LONGEST_SECONDS / len(behind))
        return sent

    def send(self, live: LiveTrial) -> bool:
        """Write what is new of a running trial; through a new writer all of it, which MLflow does not double."""
        if self._renewed != self._mlflow.renewed:
            self._sent, self._renewed = {}, self._mlflow.renewed
        start, end = self._sent.get(live.trial_id), len(live.points)

        def write(writer: SweepWriter) -> None:
            if start is None:
                writer.begin(live.trial_id, live.spec)
            writer.extend(live.trial_id, live.spec, live.points[start or 0 : end])

        if not self._mlflow.attempt(write):
            return False
        self._sent[live.trial_id] = live.taken = end
        return True
