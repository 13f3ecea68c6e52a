"""The table of MMPT's profile: methods against what is available at test time, per data set, trained on all data."""

from collections.abc import Mapping

from results.curves import Curves, Options, curves_of
from results.frame import StoreData
from results.layout import (
    caption,
    column_title,
    dataset_title,
    failed_methods,
    fusions,
    method_title,
    methods_in_order,
    profile_columns,
    why_empty,
)
from results.render import Cell, Column, Nothing, Row, Table, mark_best, scored
from results.selection import Group
from search_spaces.modality import Pattern

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per fusion, laid out as table 1 of the paper.

    Two versions of one data set (fingerprints) get column groups of their own and are never compared.
    """
    curves = curves_of(data, options)
    groups = [group for group in curves.groups if group.p_train == "0"]
    if not groups:
        return Nothing("no finished trial with p_train = 0")
    return [_table(data, options, [g for g in groups if g.fusion == fusion]) for fusion in fusions(groups)]


def _table(data: StoreData, options: Options, groups: list[Group]) -> Table:
    curves = curves_of(data, options)
    blocks = list(dict.fromkeys((group.dataset, group.fingerprint) for group in groups))
    places = [
        (next(group for group in groups if group[:2] == block), pattern)
        for block in blocks
        for pattern in profile_columns(data.samples[block[1]].modalities)
    ]
    columns = tuple(
        Column(dataset_title(data, group, groups), column_title(pattern, curves.modalities(group)))
        for group, pattern in places
    )
    fusion = groups[0].fusion
    methods = methods_in_order([*(group.method for group in groups), *failed_methods(data, groups)])
    test = data.test_scores(options.metric, options.route)
    cells = {method: [_cell(data, test, curves, g._replace(method=method), p) for g, p in places] for method in methods}
    rows = [Row(method_title(data, method), tuple(cells[method]), key=method) for method in methods]
    seeds = [seed for (group, _), pick in curves.picks.items() if group in groups for seed in pick.seeds]
    return Table(
        name=f"mmpt_profile_{fusion}",
        title=f"MMPT profile, {fusion} fusion",
        caption=f"{caption(data, options, groups, seeds)} Bold: best of its column. Starred or underlined: better than "
        "the unimodal expert. Mean and standard deviation over seeds.",
        columns=columns,
        rows=mark_best(rows, "unimodal"),
        num_seeds=len(set(seeds)),
        about={**vars(options), "fusion": fusion, "fingerprints": sorted({group.fingerprint for group in groups})},
    )


def _cell(
    data: StoreData, test: Mapping[tuple[str, str], float], curves: Curves, group: Group, pattern: Pattern
) -> Cell:
    pick = curves.pick(group, pattern.key)
    if pick is None:
        return why_empty(data, group, pattern)
    return scored([test[trial_id, pattern.key] for trial_id in pick.trial_ids], pick.trial_ids)
