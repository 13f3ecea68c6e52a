"""The table of partially missing data in training and in testing (U2A's tables 3 and 6): methods at pairs of rates."""

from dataclasses import replace

from results.availability import availability, availability_order
from results.candidates import Group
from results.data import StoreData
from results.group_cells import rates_cells
from results.layout import (
    blocks_of_missing_data,
    caption,
    dataset_title,
    draws_sentence,
    methods_in_order,
    protocol_suffix,
)
from results.missing_protocols import protocol_named
from results.options import Options
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best_of_rows
from search_spaces.missing_rates import INDEPENDENT, MissingRates

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set and fusion; it is tested at every availability that was trained with."""
    systems = systems_of(data, options)
    tables = [_table(systems, missing, groups) for missing, groups in blocks_of_missing_data(systems)]
    return tables or Nothing("no finished trial with p_train above 0")


def _table(systems: Systems, missing: str, groups: list[Group]) -> Table:
    first, options, others = groups[0], systems.options, systems.groups
    modalities = systems.modalities(first)
    trained_at = {group.p_train for group in others if group[:2] == first[:2] and group.missing == missing}
    known = {text: MissingRates.parse(text) for text in {"0", *trained_at}}
    rates = dict(sorted(known.items(), key=lambda item: availability_order(item[1], modalities)))
    methods = methods_in_order(group.method for group in groups)
    rows: list[Row] = []
    for p_train in (text for text in rates if any(group.p_train == text for group in groups)):
        place = first._replace(p_train=p_train, missing=INDEPENDENT if p_train == "0" else missing)
        columns = [rates_cells(systems, place._replace(method=name), list(rates.values())) for name in methods]
        trained = availability(rates[p_train], modalities)
        found = [
            Row(f"train {trained}; test {availability(tested, modalities)}", tuple(cells))
            for tested, *cells in zip(rates.values(), *columns, strict=True)
        ]
        rows += [replace(row, rule=bool(rows) and place == 0) for place, row in enumerate(mark_best_of_rows(found))]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"missing_protocol_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}{protocol_suffix(missing)}",
        title=f"Missing in training and testing: {dataset_title(systems.data, first, others)}, {first.fusion} fusion"
        f"{f', trained with masks of {missing}' if protocol_suffix(missing) else ''}",
        caption=f"{caption(systems, groups, seeds)} Rows: which share of the samples has each modality in training, "
        f"then at test time. {_sentence(missing, options)} "
        f"{draws_sentence(options)} Standard deviation over training seeds. Bold: "
        "best of its row.",
        columns=tuple(Column("Method", systems.data.title("method", method)) for method in methods),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(options), **first._asdict(), "p_train_missing": missing, "rates": list(rates)},
    )


def _sentence(missing: str, options: Options) -> str:
    """Return how modalities went missing in training, and at test time where `draws_sentence` does not say."""
    trained = protocol_named(missing).sentence
    if missing != options.missing:
        trained = f"In training ({missing}): {trained}"
        default = f"At test time: {protocol_named(INDEPENDENT).sentence}"
        return f"{trained} {default}" if options.missing == INDEPENDENT else trained
    return trained if missing == INDEPENDENT else "Training and test have the same missing protocol."
