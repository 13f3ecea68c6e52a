"""WHAT came out: the store of finished trials, the testbed's scores, and tables, figures and reports made of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.custom import frame_figure, frame_table
    from results.data import StoreData, load
    from results.long_form import frame
    from results.metrics import METRICS, score
    from results.options import Options
    from results.report import Report, build_table, write_report
    from results.rules import RULES
    from results.schema import LogitsKey, Samples, TrialRecord
    from results.store import CorruptTrialError, Store
    from results.summary import final_metrics, p_test_curves
    from results.testbed import Profile
    from results.weakness import weakness_scores

__all__ = [
    "METRICS",
    "RULES",
    "CorruptTrialError",
    "LogitsKey",
    "Options",
    "Profile",
    "Report",
    "Samples",
    "Store",
    "StoreData",
    "TrialRecord",
    "build_table",
    "final_metrics",
    "frame",
    "frame_figure",
    "frame_table",
    "load",
    "p_test_curves",
    "score",
    "weakness_scores",
    "write_report",
]

_HOMES = {
    "custom": ("frame_figure", "frame_table"),
    "data": ("StoreData", "load"),
    "long_form": ("frame",),
    "metrics": ("METRICS", "score"),
    "options": ("Options",),
    "report": ("Report", "build_table", "write_report"),
    "schema": ("LogitsKey", "Samples", "TrialRecord"),
    "rules": ("RULES",),
    "store": ("CorruptTrialError", "Store"),
    "summary": ("final_metrics", "p_test_curves"),
    "testbed": ("Profile",),
    "weakness": ("weakness_scores",),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that a trial that writes its record loads no plotting library."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"results.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
