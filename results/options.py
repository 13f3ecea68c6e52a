"""What every table and figure of a report has in common."""

from dataclasses import dataclass
from typing import Any

from results.metrics import metric_named
from results.missing_protocols import protocol_named
from results.published import PAPERS
from results.schema import ROUTES
from search_spaces.errors import InvalidValueError, UnknownNameError
from search_spaces.missing_rates import INDEPENDENT

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a report selects, scores and compares.

    Attributes:
        metric: name in `results.metrics.METRICS`.
        route: `probe` or `head`; the two never meet in one table.
        rule: name of the selection rule, see `results.selection.RULES`.
        fixed: (axis, value) pairs that the rule `fixed` keeps.
        allow_oracle: permits a rule that reads test scores while selecting.
        missing: name of the missing protocol at test time, in `results.missing_protocols`.
        num_draws: seeds of the test-time draws of missing modalities.
        num_resamples: bootstrap resamples behind confidence intervals; 0 leaves the intervals out.
        compare: the paper whose published numbers stand beside the user's, or "".

    Raises:
        UnknownNameError: no such metric, missing protocol, route or paper.
        InvalidValueError: a number is out of range.
    """

    metric: str = "macro_f1"
    route: str = "probe"
    rule: str = "best_validation"
    fixed: tuple[tuple[str, Any], ...] = ()
    allow_oracle: bool = False
    missing: str = INDEPENDENT
    num_draws: int = 100
    num_resamples: int = 1000
    compare: str = ""

    def __post_init__(self) -> None:
        metric_named(self.metric)
        protocol_named(self.missing)
        if self.route not in ROUTES:
            raise UnknownNameError("route", self.route, ROUTES)
        if self.num_draws < 1:
            raise InvalidValueError("number of draws", self.num_draws, "at least 1")
        if self.num_resamples < 0 or self.num_resamples == 1:
            raise InvalidValueError("number of bootstrap resamples", self.num_resamples, "0 (no intervals), 2 or more")
        if self.compare and self.compare not in PAPERS:
            raise UnknownNameError("paper", self.compare, PAPERS)
