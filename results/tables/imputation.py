"""The table of feature imputation (MMPT's table 4): a missing modality's features made up from the available one's."""

from collections.abc import Mapping

from results.absence import why_absent
from results.candidates import Group
from results.cells import Cell, empty
from results.data import StoreData
from results.layout import caption, column_title, dataset_title, interval_sentence
from results.method_parts import method_parts
from results.options import Options
from results.systems import IMPUTATION, System, Systems, systems_of
from results.table import Column, Nothing, Row, Table, mark_best
from search_spaces.modality import Pattern

__all__ = ["build"]

_AXIS = "method.source"
_EXPERT = "unimodal"
_SOURCES = ("naive", "best")
"""Which model's features are completed, in the paper's order."""


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table over all data sets and fusions, from trials with p_train = 0."""
    systems = systems_of(data, options)
    trials = data.trials
    trials = trials[(trials["method"] == IMPUTATION) & (trials["p_train"] == "0")]
    found = method_parts(systems, trials, [_AXIS])
    groups = sorted({group for group, _ in found})
    if not groups:
        return Nothing(f"no finished {IMPUTATION} trial with p_train = 0 and a source")
    return [_table(systems, groups, {(group, str(part.value)): system for (group, part), system in found.items()})]


def _table(systems: Systems, groups: list[Group], imputed: Mapping[tuple[Group, str], System]) -> Table:
    names = sorted({name for group in groups for name in systems.modalities(group)})
    blocks = [_block(systems, group, imputed, names) for group in groups]
    rows = [
        Row(column_title(Pattern([name]), ()), tuple(column.cells[place] for block in blocks for column in block))
        for place, name in enumerate(names)
    ]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    return Table(
        name="imputation",
        title="Feature imputation",
        caption=f"{caption(systems, groups, seeds)} Rows: the modality that is available at test time. Unimodal: the "
        "expert for that modality, without imputation. Imputed: a variational autoencoder makes up the features of "
        "the other modalities from those of the available one, in the naive model or in the best one; selected for "
        "each of the two by itself. Bold: best of its row, data set and fusion. Starred or underlined: better than "
        f"the unimodal expert. Mean and standard deviation over seeds. {interval_sentence(systems.options)}".rstrip(),
        columns=tuple(
            Column(f"{dataset_title(systems.data, group, groups)}, {group.fusion} fusion", column.label)
            for group, block in zip(groups, blocks, strict=True)
            for column in block
        ),
        rows=tuple(rows),
        num_seeds=len(seeds),
        about={**vars(systems.options), "fingerprints": sorted({group.fingerprint for group in groups})},
    )


def _block(
    systems: Systems, group: Group, imputed: Mapping[tuple[Group, str], System], names: list[str]
) -> tuple[Row, ...]:
    """Return the columns of a data set and fusion as rows, in which a modality's values compete."""
    expert = systems.of(group._replace(method=_EXPERT))
    sources = dict.fromkeys([*_SOURCES, *sorted(source for _, source in imputed)])
    columns = {source: imputed.get((group, source), System(group, {}, {})) for source in sources}
    rows = [
        Row(
            "Unimodal" if key == _EXPERT else f"Imputed, {key}",
            tuple(_cell(systems, system, name, key) for name in names),
            key=key,
        )
        for key, system in {_EXPERT: expert, **columns}.items()
    ]
    return mark_best(rows, _EXPERT)


def _cell(systems: Systems, system: System, name: str, source: str) -> Cell:
    data, group = systems.data, system.group
    if name not in systems.modalities(group):
        return empty(f"{group.dataset} has no {name}")
    if group.method == IMPUTATION and not system.picks:
        title = data.title("method", IMPUTATION)
        return empty(f"{title} on {group.dataset}: no finished trial on features of the {source} model")
    return systems.cell(system, Pattern([name])) or empty(why_absent(data, group, Pattern([name])))
