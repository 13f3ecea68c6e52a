"""The table behind the p_test curves (laid out as MLA's table 2): score against how often modalities are missing."""

from dataclasses import replace

from results.candidates import Group
from results.cells import Cell, empty, scored
from results.curves import curve, families
from results.data import StoreData
from results.layout import (
    NO_COMPLETE_DATA,
    blocks_of_complete_data,
    caption,
    dataset_title,
    draws_sentence,
    family_title,
    methods_in_order,
)
from results.options import Options
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best
from search_spaces.missing_rates import TENTHS, MissingRates

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set and fusion, from trials with p_train = 0."""
    systems = systems_of(data, options)
    tables = [_table(systems, groups) for groups in blocks_of_complete_data(systems)]
    return tables or Nothing(NO_COMPLETE_DATA)


def _table(systems: Systems, groups: list[Group]) -> Table:
    first = groups[0]
    by_method = {group.method: group for group in groups}
    rows: list[Row] = []
    for family, rates in families(systems.modalities(first), systems.options.missing).items():
        found = [_row(systems, by_method[method], family, rates) for method in methods_in_order(by_method)]
        first_row, *others_below = mark_best(found)
        rows += [replace(first_row, rule=bool(rows)), *others_below]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"robustness_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Robustness on {dataset_title(systems.data, first, systems.groups)}, {first.fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} Rows: method and what goes missing. Columns: how often, at test "
        f"time. {draws_sentence(systems.options)} Standard deviation over training seeds. Bold: best of its column "
        "among methods that lose the same.",
        columns=tuple(Column("missing at test time", f"{round(100 * rate)} %") for rate in TENTHS),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(systems.options), **first._asdict()},
    )


def _row(systems: Systems, group: Group, family: str, rates: tuple[MissingRates, ...]) -> Row:
    found = curve(systems, systems.of(group), rates)
    cells: list[Cell] = []
    for values, error, trial_ids, reason in zip(
        found.values, found.errors, found.trial_ids, found.reasons, strict=True
    ):
        note = f"standard error of the simulation {error:.5f}" if error else ""
        made = scored(values, systems.origin(group, trial_ids, found.seeds)) if values else empty(reason)
        cells.append(replace(made, reason=note) if values else made)
    return Row(f"{systems.data.title('method', group.method)}, {family_title(family)} missing", tuple(cells))
