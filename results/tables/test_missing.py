"""The table of whole modalities missing at test time (U2A's table 4), for models trained on complete data."""

from results.absence import open_methods
from results.candidates import Group
from results.data import StoreData
from results.group_cells import pattern_cell
from results.layout import (
    NO_COMPLETE_DATA,
    caption,
    dataset_title,
    fusions_of_complete_data,
    interval_sentence,
    methods_in_order,
)
from results.options import Options
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best_of_rows
from search_spaces.modality import Pattern, patterns

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per fusion, from trials with p_train = 0."""
    systems = systems_of(data, options)
    tables = [_table(systems, groups) for groups in fusions_of_complete_data(systems)]
    return tables or Nothing(NO_COMPLETE_DATA)


def _table(systems: Systems, groups: list[Group]) -> Table:
    data, fusion = systems.data, groups[0].fusion
    methods = methods_in_order([*(group.method for group in groups), *open_methods(data, groups)])
    blocks = {group[:2]: group for group in reversed(groups)}
    rows: list[Row] = []
    for _, group in sorted(blocks.items()):
        title, every = dataset_title(data, group, groups), systems.modalities(group)
        for place, pattern in enumerate(sorted(patterns(every), key=len)):
            cells = tuple(pattern_cell(systems, group._replace(method=method), pattern) for method in methods)
            label = f"{title}: {_names(pattern)} available, {_names(set(every).difference(pattern))} missing"
            rows.append(Row(label, cells, rule=bool(rows) and place == 0))
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"test_missing_{fusion}",
        title=f"Modalities missing at test time, {fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} Trained on complete data; at test time every sample lacks the "
        "modalities that a row calls missing. Bold: best of its row. Mean and standard deviation over seeds. "
        f"{interval_sentence(systems.options)}".rstrip(),
        columns=tuple(Column("Method", data.title("method", method)) for method in methods),
        rows=mark_best_of_rows(rows),
        num_seeds=len(seeds),
        about={**vars(systems.options), "fusion": fusion, "fingerprints": sorted({g.fingerprint for g in groups})},
    )


def _names(modalities: Pattern | set[str]) -> str:
    return " and ".join(name.replace("_", " ") for name in sorted(modalities)) or "nothing"
