"""The table of what Best-Fusion is made of (MMPT section 4.5): which method serves what is available, and its score."""

from itertools import groupby

from results.candidates import Group
from results.cells import Cell, empty
from results.data import StoreData
from results.layout import (
    NO_COMPLETE_DATA,
    caption,
    column_title,
    dataset_title,
    interval_sentence,
    profile_columns,
    split_of_selection,
)
from results.options import Options
from results.systems import System, Systems, systems_of
from results.table import Column, Nothing, Row, Table
from search_spaces.modality import Pattern

__all__ = ["build"]

_REFERENCE = "naive"


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per data set, from trials with p_train = 0: each fusion, with several of them overall, naive."""
    systems = systems_of(data, options)
    groups = [group for group in systems.groups if group.p_train == "0"]
    blocks = dict.fromkeys(group[:2] for group in groups)
    tables = [_table(systems, [group for group in groups if group[:2] == block]) for block in blocks]
    return tables or Nothing(NO_COMPLETE_DATA)


def _table(systems: Systems, groups: list[Group]) -> Table:
    first, modalities = groups[0], systems.modalities(groups[0])
    by_fusion = groupby(
        sorted(groups, key=lambda group: (group.fusion != "late", group.fusion)), lambda one: one.fusion
    )
    competing = {f"{name.capitalize()} fusion": list(own) for name, own in by_fusion}
    if len(competing) > 1:
        competing["Overall"] = groups
    chosen = {label: systems.best_fusion(own) for label, own in competing.items()}
    naive = {f"Naive, {group.fusion} fusion": systems.of(group) for group in groups if group.method == _REFERENCE}
    columns = profile_columns(modalities)
    rows = [
        Row(
            label,
            tuple(cell for pattern in columns for cell in _cells(systems, system, pattern)),
            rule=place == len(chosen),
        )
        for place, (label, system) in enumerate({**chosen, **naive}.items())
    ]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name=f"best_fusion_{first.dataset}_{first.fingerprint[:8]}",
        title=f"Best-Fusion on {dataset_title(systems.data, first, systems.groups)}",
        caption=f"{caption(systems, groups, seeds)} Trained on complete data. Best-Fusion predicts from what is "
        f"available by the method that does best with it on {split_of_selection(systems.options)}, of those with the "
        "most seeds; of equal ones by the cheaper. Overall: of the methods of all fusions. Naive training stands below "
        "for reference. Mean "
        f"and standard deviation over seeds. {interval_sentence(systems.options)}".rstrip(),
        columns=tuple(
            Column(column_title(pattern, modalities), name) for pattern in columns for name in ("Method", "Score")
        ),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(systems.options), "dataset": first.dataset, "fingerprint": first.fingerprint},
    )


def _cells(systems: Systems, system: System, pattern: Pattern) -> tuple[Cell, Cell]:
    """Return the method that serves a pattern, and its score."""
    score = systems.cell(system, pattern)
    if score is None:
        absent = empty(f"{system.group.dataset}: none of these methods predicts from {' and '.join(pattern)}")
        return absent, absent
    member = system.members[pattern.key]
    title = systems.data.title("method", member.method)
    return Cell(
        text=title if member.fusion == system.group.fusion else f"{title} ({member.fusion})", origin=score.origin
    ), score
