"""What one trial asks of a Ray cluster."""

from collections.abc import Mapping
from typing import Any

from ray import tune

from orchestrator.resources import amounts

__all__ = ["trial_bundles"]


def trial_bundles(config: Mapping[str, Any]) -> tune.PlacementGroupFactory:
    """Return the placement of a `TrialTask`'s config.

    It is the task that says so, not the sweep, since trials may have different shares of a GPU.
    """
    bundle = amounts(config)
    labels = dict(config["labels"])
    options: dict[str, Any] = {"bundle_label_selector": [labels]} if labels else {}
    return tune.PlacementGroupFactory([bundle], **options)
