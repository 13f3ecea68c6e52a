"""What stands in a table for a group: its score under a pattern or at missing rates, or why there is none."""

from collections.abc import Sequence
from dataclasses import replace

from results.absence import why_absent
from results.candidates import Group
from results.cells import Cell, empty, scored
from results.curves import curve
from results.systems import Systems
from search_spaces.missing_rates import MissingRates
from search_spaces.modality import Pattern

__all__ = ["pattern_cell", "rates_cells"]


def pattern_cell(systems: Systems, group: Group, pattern: Pattern) -> Cell:
    """Return a group's score under a pattern."""
    return systems.cell(systems.of(group), pattern) or empty(why_absent(systems.data, group, pattern))


def rates_cells(systems: Systems, group: Group, rates: Sequence[MissingRates]) -> list[Cell]:
    """Return a group's scores at test-time missing rates; a simulated one says what error the simulation leaves."""
    system = systems.of(group)
    if not system.picks:
        return [empty(why_absent(systems.data, group, Pattern(systems.modalities(group))))] * len(rates)
    found = curve(systems, system, rates)
    cells: list[Cell] = []
    for values, error, trial_ids, reason in zip(
        found.values, found.errors, found.trial_ids, found.reasons, strict=True
    ):
        note = f"standard error of the simulation {error:.5f}" if error else ""
        origin = systems.origin(group, trial_ids, found.seeds)
        cells.append(replace(scored(values, origin), reason=note) if values else empty(reason))
    return cells
