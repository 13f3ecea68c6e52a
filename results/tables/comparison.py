"""The table of significance: how much better each method is than naive training, and whether that can be chance."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from results.absence import why_absent
from results.candidates import Group
from results.cells import Cell, empty
from results.data import StoreData
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
from results.significance import compare, holm
from results.systems import System, Systems, systems_of
from results.table import Column, Nothing, Row, Table
from search_spaces.modality import Pattern

__all__ = ["build"]

_REFERENCE = "naive"
_UNTESTED = float("nan")


class _Tested(NamedTuple):
    """A method's difference to the reference, its p-value before correction (NaN: no test) and the test's name."""

    difference: Cell
    p_value: float = _UNTESTED
    test: str = ""


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set and fusion with several methods, from trials with p_train = 0."""
    systems = systems_of(data, options)
    blocks = blocks_of_complete_data(systems)
    if not blocks:
        return Nothing(NO_COMPLETE_DATA)
    if not options.num_resamples:
        return Nothing("differences are tested on bootstrap resamples, and none were asked for (--resamples)")
    tables = [_table(systems, groups) for groups in blocks if len(groups) > 1]
    return tables or Nothing("no data set and fusion with two methods trained with p_train = 0 to compare")


def _table(systems: Systems, groups: list[Group]) -> Table:
    data, options, first = systems.data, systems.options, groups[0]
    modalities, by_method = systems.modalities(first), {group.method: group for group in groups}
    has_naive = _REFERENCE in by_method
    reference = systems.of(by_method[_REFERENCE]) if has_naive else systems.best_fusion(groups)
    methods = [method for method in methods_in_order(by_method) if method != _REFERENCE]
    columns = profile_columns(modalities)
    tested = {
        (method, pattern): _tested(systems, systems.of(by_method[method]), reference, pattern)
        for method in methods
        for pattern in columns
    }
    corrected = dict(zip(tested, holm([one.p_value for one in tested.values()]).tolist(), strict=True))
    seeds = {seed for one in tested.values() for seed in one.difference.origin.seeds}
    title = data.title("method", _REFERENCE) if has_naive else "the best on validation"
    return Table(
        name=f"comparison_{first.dataset}_{first.fingerprint[:8]}_{first.fusion}",
        title=f"Compared with {title}: {dataset_title(data, first, systems.groups)}, {first.fusion} fusion",
        caption=f"{caption(systems, groups, seeds)} Trained on complete data. Difference: the method less "
        f"{_reference(systems, reference, columns)}, in points, mean over the seeds that both have, paired by "
        f"test sample and seed. {_tests(list(tested.values()))} {interval_sentence(options)}",
        columns=tuple(
            column
            for name in (column_title(pattern, modalities) for pattern in columns)
            for column in (Column(name, "Difference"), Column(name, "p (Holm)", percent=False, digits=3))
        ),
        rows=tuple(_row(data.title("method", method), method, columns, tested, corrected) for method in methods),
        num_seeds=len(seeds),
        about={**vars(options), **first._asdict(), "tests": sum(bool(one.test) for one in tested.values())},
    )


def _tested(systems: Systems, system: System, reference: System, pattern: Pattern) -> _Tested:
    absent = [one.group for one in (system, reference) if pattern.key not in one.picks]
    if absent:
        return _Tested(empty(why_absent(systems.data, absent[0], pattern)))
    picks = [one.picks[pattern.key] for one in (system, reference)]
    titles = [systems.data.title("method", one.members[pattern.key].method) for one in (system, reference)]
    if system.group == reference.members[pattern.key]:
        return _Tested(empty(f"{titles[0]} is what the others are compared with from {' and '.join(pattern)}"))
    seeds = sorted(set(picks[0].seeds) & set(picks[1].seeds))
    if not seeds:
        return _Tested(empty(f"{titles[0]} and {titles[1]} have no training seed in common"))
    mine, theirs = ([systems.profile(one, seed, [pattern]) for seed in seeds] for one in (system, reference))
    found = compare(
        [profile.part(pattern) for profile in mine],
        [profile.part(pattern) for profile in theirs],
        mine[0].targets,
        systems.options.metric,
        resamples=systems.options.num_resamples,
    )
    trial_ids = [trial_id for one in (system, reference) for seed in seeds for trial_id in one.trials(seed, [pattern])]
    origin = systems.origin(system.group, trial_ids, seeds)
    return _Tested(Cell(value=found.difference, interval=found.interval, origin=origin), found.p_value, found.test)


def _row(
    label: str,
    method: str,
    columns: Sequence[Pattern],
    tested: Mapping[tuple[str, Pattern], _Tested],
    corrected: Mapping[tuple[str, Pattern], float],
) -> Row:
    cells: list[Cell] = []
    for pattern in columns:
        one = tested[method, pattern]
        p_value = Cell(value=corrected[method, pattern], origin=one.difference.origin) if one.test else one.difference
        cells += [one.difference, p_value]
    return Row(label, tuple(cells), key=method)


def _reference(systems: Systems, reference: System, columns: Sequence[Pattern]) -> str:
    """Name the reference; without naive training the best on validation, which can differ by column."""
    title, modalities = systems.data.title, systems.modalities(reference.group)
    if reference.group.method == _REFERENCE:
        return title("method", _REFERENCE)
    members = {one: reference.members[one.key].method for one in columns if one.key in reference.members}
    named = "; ".join(f"{column_title(one, modalities)}: {title('method', name)}" for one, name in members.items())
    return f"the method that is best on validation, since there is no naive training ({named})"


def _tests(tested: Sequence[_Tested]) -> str:
    names = sorted({one.test for one in tested if one.test})
    if not names:
        return "Nothing could be tested."
    count = sum(bool(one.test) for one in tested)
    return (
        f"p: {' or '.join(names)}, two-sided, corrected by Holm's method for the table's {count} tests; "
        "0.000 stands for less than 0.0005. Intervals are not corrected."
    )
