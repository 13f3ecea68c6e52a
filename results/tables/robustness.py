"""The table behind the p_test curves: score against how often a modality is missing at test time."""

from dataclasses import replace

from results.curves import Options, curves_of, families
from results.frame import StoreData
from results.layout import caption, dataset_title, family_title, method_title, methods_in_order
from results.render import Cell, Column, Nothing, Row, Table, mark_best, scored
from results.selection import Group
from search_spaces.missing_rates import TENTHS

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set and fusion, from trials with p_train = 0."""
    groups = [group for group in curves_of(data, options).groups if group.p_train == "0"]
    if not groups:
        return Nothing("no finished trial with p_train = 0")
    blocks = dict.fromkeys(group[:3] for group in groups)
    return [_table(data, options, [group for group in groups if group[:3] == block], groups) for block in blocks]


def _table(data: StoreData, options: Options, groups: list[Group], others: list[Group]) -> Table:
    curves = curves_of(data, options)
    first = groups[0]
    by_method = {group.method: group for group in groups}
    rows: list[Row] = []
    for family in families(curves.modalities(first)):
        found = [_row(data, options, by_method[method], family) for method in methods_in_order(by_method)]
        first_row, *others_below = mark_best(found)
        rows += [replace(first_row, rule=bool(rows)), *others_below]
    title = dataset_title(data, first, others)
    names = families(curves.modalities(first))
    seeds = {seed for group in groups for name in names for seed in curves.curve(group, name).seeds}
    return Table(
        name=f"robustness_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Robustness on {title}, {first.fusion} fusion",
        caption=f"{caption(data, options, groups, seeds)} Rows: method and what goes missing. Columns: how often, at "
        f"test time; mean of {options.num_draws} draws, standard deviation over training seeds. Bold: best of its "
        "column among methods that lose the same.",
        columns=tuple(Column("missing at test time", f"{round(100 * rate)} %") for rate in TENTHS),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(options), "dataset": first.dataset, "fusion": first.fusion, "fingerprint": first.fingerprint},
    )


def _row(data: StoreData, options: Options, group: Group, family: str) -> Row:
    curve = curves_of(data, options).curve(group, family)
    cells = tuple(
        scored(values, trial_ids) if values else Cell(reason=reason)
        for values, trial_ids, reason in zip(curve.values, curve.trial_ids, curve.reasons, strict=True)
    )
    return Row(f"{method_title(data, group.method)}, {family_title(family)} missing", cells)
