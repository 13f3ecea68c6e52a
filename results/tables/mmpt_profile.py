"""The table of MMPT's profile: methods against what is available at test time, per data set, trained on all data."""

from results.absence import open_methods, why_absent
from results.candidates import Group
from results.cells import Cell, empty
from results.data import StoreData
from results.layout import (
    NO_COMPLETE_DATA,
    caption,
    column_title,
    dataset_title,
    fusions_of_complete_data,
    interval_sentence,
    methods_in_order,
    profile_columns,
)
from results.options import Options
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best
from search_spaces.modality import Pattern

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per fusion, laid out as tables 1 (late) and 2 (early) of the paper.

    Two versions of one data set (fingerprints) get column groups of their own and are never compared.
    """
    systems = systems_of(data, options)
    tables = [_table(systems, groups) for groups in fusions_of_complete_data(systems)]
    return tables or Nothing(NO_COMPLETE_DATA)


def _table(systems: Systems, groups: list[Group]) -> Table:
    data, fusion = systems.data, groups[0].fusion
    blocks = {group[:2]: group for group in reversed(groups)}
    places = [
        (group, pattern)
        for _, group in sorted(blocks.items())
        for pattern in profile_columns(systems.modalities(group))
    ]
    methods = methods_in_order([*(group.method for group in groups), *open_methods(data, groups)])
    rows = [
        Row(
            data.title("method", method),
            tuple(_cell(systems, group._replace(method=method), pattern) for group, pattern in places),
            key=method,
        )
        for method in methods
    ]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"mmpt_profile_{fusion}",
        title=f"MMPT profile, {fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} Bold: best of its column. Starred or underlined: better than the "
        f"unimodal expert. Mean and standard deviation over seeds. {interval_sentence(systems.options)}".rstrip(),
        columns=tuple(
            Column(dataset_title(data, group, groups), column_title(pattern, systems.modalities(group)))
            for group, pattern in places
        ),
        rows=mark_best(rows, "unimodal"),
        num_seeds=len(seeds),
        about={**vars(systems.options), "fusion": fusion, "fingerprints": sorted({g.fingerprint for g in groups})},
    )


def _cell(systems: Systems, group: Group, pattern: Pattern) -> Cell:
    return systems.cell(systems.of(group), pattern) or empty(why_absent(systems.data, group, pattern))
