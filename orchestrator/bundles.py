"""What one trial asks of a Ray cluster: a bundle of resources per worker, granted together."""

from collections.abc import Mapping
from typing import Any

from ray import tune

from orchestrator.resources import amounts

__all__ = ["trial_bundles"]


def trial_bundles(config: Mapping[str, Any]) -> tune.PlacementGroupFactory:
    """Return a bundle for each worker of a `TrialTask`'s config, close together where the cluster has room.

    The trainable is in the first one and starts the other workers in the rest, so that no trial ever holds a part of
    what it needs while it waits for another part. The config says it and not the sweep, since a trial that ran out of
    memory asks for more than the others.
    """
    workers = config["workers"]
    labels = dict(config["labels"])
    options: dict[str, Any] = {"bundle_label_selector": [labels] * workers} if labels else {}
    return tune.PlacementGroupFactory([amounts(config)] * workers, strategy="PACK", **options)
