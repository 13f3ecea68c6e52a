"""The table of partially missing data in training and in testing (U2A's tables 3 and 6): methods at pairs of rates."""

from dataclasses import replace

from results.availability import availability, availability_order
from results.candidates import Group
from results.data import StoreData
from results.group_cells import rates_cells
from results.layout import caption, dataset_title, draws_sentence, methods_in_order
from results.options import Options
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best_of_rows
from search_spaces.missing_rates import MissingRates

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set and fusion; it is tested at every availability that was trained with."""
    systems = systems_of(data, options)
    groups = systems.groups
    blocks = dict.fromkeys(group[:3] for group in groups if group.p_train != "0")
    if not blocks:
        return Nothing("no finished trial with p_train above 0")
    return [_table(systems, [group for group in groups if group[:3] == block], groups) for block in blocks]


def _table(systems: Systems, groups: list[Group], others: list[Group]) -> Table:
    first, options = groups[0], systems.options
    modalities = systems.modalities(first)
    known = {group.p_train: MissingRates.parse(group.p_train) for group in others if group[:2] == first[:2]} | {
        "0": MissingRates()
    }
    rates = dict(sorted(known.items(), key=lambda item: availability_order(item[1], modalities)))
    methods = methods_in_order(group.method for group in groups)
    rows: list[Row] = []
    for p_train in (text for text in rates if any(group.p_train == text for group in groups)):
        columns = [
            rates_cells(systems, first._replace(p_train=p_train, method=name), list(rates.values())) for name in methods
        ]
        trained = availability(rates[p_train], modalities)
        found = [
            Row(f"train {trained}; test {availability(tested, modalities)}", tuple(cells))
            for tested, *cells in zip(rates.values(), *columns, strict=True)
        ]
        rows += [replace(row, rule=bool(rows) and place == 0) for place, row in enumerate(mark_best_of_rows(found))]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"missing_protocol_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Missing in training and testing: {dataset_title(systems.data, first, others)}, {first.fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} Rows: which share of the samples has each modality in training, "
        "then at test time. Modalities go missing independently of each other at these rates. "
        f"{draws_sentence(options)} Standard deviation over training seeds. Bold: "
        "best of its row.",
        columns=tuple(Column("Method", systems.data.title("method", method)) for method in methods),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(options), **first._asdict(), "rates": list(rates)},
    )
