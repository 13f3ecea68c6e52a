"""Tables of what each hyperparameter does: the best configuration of a method for every value of an axis."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from results.availability import availability, availability_order
from results.candidates import Group
from results.cells import Cell, empty, scored
from results.data import StoreData
from results.layout import caption, column_title, dataset_title, methods_in_order, profile_columns
from results.method_parts import MethodPart, method_parts
from results.options import Options
from results.systems import IMPUTATION, System, Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best
from search_spaces.missing_rates import INDEPENDENT, MissingRates
from search_spaces.modality import Pattern

__all__ = ["build"]

Parts = Mapping[tuple[Group, MethodPart], System]
Places = list[tuple[Group, Pattern]]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per method and fusion, of methods with several configurations at one p_train."""
    if options.rule == "fixed":
        return Nothing("hyperparameters were fixed beforehand")
    systems = systems_of(data, options)
    parts = method_parts(systems, data.trials[data.trials["method"] != IMPUTATION])
    if not parts:
        return Nothing("no method has several configurations at one p_train")
    tables = {(group.method, group.fusion) for group, _ in parts}
    order = methods_in_order(method for method, _ in tables)
    return [
        _table(systems, {key: system for key, system in parts.items() if (key[1].method, key[0].fusion) == table})
        for table in sorted(tables, key=lambda table: (order.index(table[0]), table[1]))
    ]


def _table(systems: Systems, parts: Parts) -> Table:
    groups = sorted({group for group, _ in parts})
    first, method = groups[0], systems.data.title("method", groups[0].method)
    blocks = {group[:2]: group for group in reversed(groups)}
    places = [
        (group, pattern)
        for _, group in sorted(blocks.items())
        for pattern in profile_columns(systems.modalities(group))
    ]
    rates = {
        (group.p_train, group.missing): (MissingRates.parse(group.p_train), systems.modalities(group))
        for group in groups
    }
    ordered = sorted(rates, key=lambda trained: (*availability_order(*rates[trained]), trained[1] != INDEPENDENT))
    rows: list[Row] = []
    for p_train, missing in ordered:
        where = f", trained on {availability(*rates[p_train, missing])}" if ordered != [("0", INDEPENDENT)] else ""
        where += f" ({missing})" if missing != INDEPENDENT else ""
        own = [(group._replace(p_train=p_train, missing=missing), pattern) for group, pattern in places]
        rows += _rows(systems, parts, own, where)
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"ablation_{first.method}_{first.fusion}",
        title=f"Hyperparameters of {method}, {first.fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} First row: chosen among all configurations. Rows below: chosen in "
        "the same way among the configurations with this value, all other hyperparameters free. Bold: best value of "
        "the hyperparameter in its column. Mean and standard deviation over seeds.",
        columns=tuple(
            Column(dataset_title(systems.data, group, groups), column_title(pattern, systems.modalities(group)))
            for group, pattern in places
        ),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(systems.options), "method": first.method, "fusion": first.fusion},
    )


def _rows(systems: Systems, parts: Parts, places: Places, where: str) -> Iterable[Row]:
    """Return the rows of one p_train: what was selected, then axis by axis."""
    groups = {group for group, _ in places}
    found = {part for group, part in parts if group in groups}
    selected = [_cell(systems, systems.of(group), pattern, "") for group, pattern in places]
    yield Row(f"selected{where}", tuple(selected), key="selected", rule=True)
    ordered = sorted(found, key=lambda part: (part.axis, isinstance(part.value, str), part.value))
    for _, own in groupby(ordered, key=lambda part: part.axis):
        yield from mark_best([_row(systems, parts, places, part, where) for part in own])


def _row(systems: Systems, parts: Parts, places: Places, part: MethodPart, where: str) -> Row:
    text = f"{part.axis} = {part.value}{where}"
    cells = [_cell(systems, parts.get((group, part)), pattern, f" with {text}") for group, pattern in places]
    return Row(text, tuple(cells), key=text)


def _cell(systems: Systems, system: System | None, pattern: Pattern, what: str) -> Cell:
    """Return a score without an interval, which would need the logits of every trial in the table."""
    if system is None or pattern.key not in system.picks:
        return empty(f"no finished trial{what} stands for {' and '.join(pattern)}")
    pick = system.picks[pattern.key]
    return scored(systems.test_scores(pick, pattern), systems.origin(system.group, pick.trial_ids, pick.seeds))
