"""The table of what methods cost (columns of U2A's table 1): parameters, time and memory beside the score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from results.candidates import Group
from results.cells import Cell, empty, scored
from results.data import StoreData
from results.group_cells import pattern_cell
from results.layout import (
    NO_COMPLETE_DATA,
    blocks_of_complete_data,
    caption,
    column_title,
    dataset_title,
    interval_sentence,
    methods_in_order,
    profile_columns,
)
from results.options import Options
from results.selection import Pick
from results.statistics import mean
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best
from search_spaces.modality import Pattern

__all__ = ["build"]

_MILLION, _GIBIBYTE = 10**6, 2**30
_COSTS: Mapping[Column, tuple[str, float, Callable[[list[float]], float]]] = {
    Column("Parameters (M)", "Total", percent=False, digits=2): ("parameters/total", _MILLION, sum),
    Column("Parameters (M)", "Trainable", percent=False, digits=2): ("parameters/trainable", _MILLION, sum),
    Column("Per trial", "Seconds", percent=False, digits=1): ("seconds/total", 1, mean),
    Column("Per trial", "Peak memory (GiB)", percent=False, digits=2): ("memory/peak_bytes", _GIBIBYTE, max),
}
"""Column -> fact of a trial, its unit, and how the trials of one system and seed make one number."""


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set and fusion, from trials with p_train = 0."""
    systems = systems_of(data, options)
    tables = [_table(systems, groups) for groups in blocks_of_complete_data(systems)]
    return tables or Nothing(NO_COMPLETE_DATA)


def _table(systems: Systems, groups: list[Group]) -> Table:
    data, first = systems.data, groups[0]
    modalities = systems.modalities(first)
    by_method = {group.method: group for group in groups}
    methods = methods_in_order(by_method)
    full = Pattern(modalities)
    scores = mark_best([Row("", (pattern_cell(systems, by_method[method], full),)) for method in methods])
    rows = tuple(
        Row(data.title("method", method), (*_costs(systems, by_method[method]), *score.cells), key=method)
        for method, score in zip(methods, scores, strict=True)
    )
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"params_and_cost_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Parameters and cost on {dataset_title(data, first, systems.groups)}, {first.fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} Parameters in millions, of all trials that a method needs to serve "
        "the profile: one for most methods, several for those that train a model per modality, whose parameters are "
        "summed up. If a rule chooses several configurations of one model, the first in the order of the profile's "
        "columns counts. Trials that a method builds on, such as teachers, do not. Seconds from start to end, mean "
        "over those trials; peak memory of the accelerator (not recorded on the CPU), the largest among them. Mean "
        f"and standard deviation over seeds. Bold: best score. {interval_sentence(systems.options)}".rstrip(),
        columns=(
            *_COSTS,
            Column("System", "Trials", percent=False, digits=0),
            Column(dataset_title(data, first, systems.groups), column_title(full, modalities)),
        ),
        rows=rows,
        num_seeds=len(seeds),
        about={**vars(systems.options), **first._asdict()},
    )


def _costs(systems: Systems, group: Group) -> list[Cell]:
    """Return the cells of `_COSTS` and the number of trials."""
    models = _models(systems, group)
    facts = systems.facts(group)
    trials = {
        seed: [pick.trial_ids[pick.seeds.index(seed)] for pick in models]
        for seed in sorted(set.intersection(*(set(pick.seeds) for pick in models)) if models else ())
    }
    if not trials:
        title = systems.data.title("method", group.method)
        return [empty(f"{title} on {group.dataset}: no seed has all trials of the profile")] * (len(_COSTS) + 1)
    cells = []
    for name, unit, over_models in _COSTS.values():
        known = {seed: ids for seed, ids in trials.items() if all(name in facts[trial_id] for trial_id in ids)}
        values = [over_models([facts[trial_id][name] / unit for trial_id in ids]) for ids in known.values()]
        absent = empty(f"{name} was not recorded")
        cells.append(_over_seeds(systems, group, known, values) if values else absent)
    return [*cells, _over_seeds(systems, group, trials, [len(models)] * len(trials))]


def _models(systems: Systems, group: Group) -> list[Pick]:
    """Return one pick for each set of patterns that trials of the method stand for: a rule may choose several."""
    picks = systems.of(group).picks
    found: dict[str, Pick] = {}
    for pattern in profile_columns(systems.modalities(group)):
        if pattern.key in picks:
            pick = picks[pattern.key]
            found.setdefault(str(systems.data.trials.loc[pick.trial_ids[0], "reports"]), pick)
    return list(found.values())


def _over_seeds(systems: Systems, group: Group, trials: Mapping[int, Sequence[str]], values: Sequence[float]) -> Cell:
    """Return the cell of one value per seed; values that cannot differ are shown without a spread of zero."""
    made = scored(values, systems.origin(group, [key for ids in trials.values() for key in ids], trials))
    return replace(made, spread=made.spread or None)
