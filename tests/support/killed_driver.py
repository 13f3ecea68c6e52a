"""A driver to be killed: two sweeps of a trial that never ends, one for a database, one for a server that is down."""

import sys

from tracked import history, planned, until

from orchestrator.plan import Plan
from orchestrator.tracking import Tracker
from orchestrator.tracking_spool import left_behind
from results.store import Store


def main(root: str, *uris: str) -> None:
    """Track, say when everything is in MLflow or spooled, and wait to be killed."""
    store = Store(root)
    late = planned("late", 0)
    for name, uri in zip(("up", "down"), uris, strict=True):
        tracker = Tracker(root, uri)
        tracker.sweep_started(Plan(name=name, trials=(late,)))
        tracker.trial_started(late)
        for epoch in (1, 2):
            tracker.trial_progressed(late, [row for row in history(late) if row.epoch == epoch])
        if name == "up":
            until(lambda now=tracker: not now.left)
    until(
        lambda: any(
            len(trial.points) == 4 for left in left_behind(store.files, "down") for trial in left.trials().values()
        )
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
