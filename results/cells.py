"""One number of a table with everything that is needed to check it, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from results.intervals import Interval
from results.statistics import mean_and_spread

__all__ = ["Cell", "Origin", "empty", "scored"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a number comes from.

    Attributes:
        trial_ids: the trials behind it.
        seeds: their training seeds, each once.
        rule: the selection rule.
        route: `probe` or `head`.
        fingerprint: of the data; several joined by "+" where a number sums data sets up.
        samples: how many test samples it is computed on.
    """

    trial_ids: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    rule: str = ""
    route: str = ""
    fingerprint: str = ""
    samples: int = 0


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        value: mean over seeds, as a fraction of 1 where its column is in percent; None: empty.
        spread: sample standard deviation over seeds; None with a single seed.
        interval: 95 % confidence interval of the value, where one was computed.
        origin: trials, seeds, rule, route, data.
        best: the best value of those it competes with.
        better: larger than the unimodal expert's value in the same place.
        reason: why the cell is empty, or what is particular about its value.
        text: shown instead of a number.
    """

    value: float | None = None
    spread: float | None = None
    interval: Interval | None = None
    origin: Origin = Origin()
    best: bool = False
    better: bool = False
    reason: str = ""
    text: str = ""

    def tooltip(self) -> str:
        """Say in words where the number comes from, or why there is none."""
        origin, lines = self.origin, [self.reason] if self.reason else []
        if self.interval is not None:
            lines.append(
                f"{self.interval.level:.0%} interval {self.interval.low:.4f} to {self.interval.high:.4f} "
                f"over {self.interval.over}"
            )
        if origin.trial_ids:
            plural = "" if len(origin.seeds) == 1 else "s"
            lines.append(f"{len(origin.seeds)} seed{plural}: {', '.join(map(str, origin.seeds))}")
            lines.append(f"selected by {origin.rule}, route {origin.route}")
            lines.append(f"{origin.samples} test samples of data {origin.fingerprint[:8]}")
            lines.append(f"trials: {', '.join(origin.trial_ids)}")
        return "\n".join(lines)


def scored(values: Sequence[float], origin: Origin, interval: Interval | None = None) -> Cell:
    """Return the cell of one value per seed."""
    mean, spread = mean_and_spread(values)
    return Cell(value=mean, spread=spread, interval=interval, origin=origin)


def empty(reason: str) -> Cell:
    """Return a cell without a number, and why."""
    return Cell(reason=reason)
