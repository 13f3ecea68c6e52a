"""WHAT came out: the store of finished trials, the testbed's scores, and tables, figures and reports made of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from results.curves import Options
    from results.frame import StoreData, load
    from results.metrics import METRICS, score
    from results.report import Report, build_table, write_report
    from results.schema import LogitsKey, Samples, TrialRecord
    from results.selection import RULES
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
    "load",
    "p_test_curves",
    "score",
    "weakness_scores",
    "write_report",
]

_HOMES = {
    "curves": ("Options",),
    "metrics": ("METRICS", "score"),
    "report": ("Report", "build_table", "write_report"),
    "schema": ("LogitsKey", "Samples", "TrialRecord"),
    "selection": ("RULES",),
    "store": ("CorruptTrialError", "Store"),
    "summary": ("final_metrics", "p_test_curves"),
    "testbed": ("Profile",),
    "weakness": ("weakness_scores",),
    "frame": ("StoreData", "load"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that a trial that writes its record loads no plotting library."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"results.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
