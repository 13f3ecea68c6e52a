"""The table of weakness scores beside what better training gains (MMPT's table 3), per data set and fusion."""

from results.data import StoreData
from results.layout import dataset_title, interval_sentence
from results.options import Options
from results.systems import systems_of
from results.table import Column, Nothing, Row, Table
from results.weakness_gain import NO_NAIVE, gains, meaning, naive_groups, weaknesses

__all__ = ["build"]


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table over all data sets, from the selected naive trials with p_train = 0."""
    systems = systems_of(data, options)
    groups = naive_groups(systems)
    if not groups:
        return Nothing(NO_NAIVE)
    names = sorted({name for group in groups for name in systems.modalities(group)})
    rows = [
        Row(
            f"{dataset_title(data, group, groups)}, {group.fusion} fusion",
            (*weaknesses(systems, group, names), *gains(systems, group, names)),
        )
        for group in groups
    ]
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    data_names = "; ".join(dict.fromkeys(f"{group.dataset} {group.fingerprint[:8]}" for group in groups))
    return [
        Table(
            name="weakness",
            title="Weakness of naive training, and what the best other method gains",
            caption=f"{meaning(options)} Mean and standard deviation over seeds. {interval_sentence(options)} Seeds: "
            f"{', '.join(map(str, sorted(seeds)))}. Data: {data_names}.",
            columns=(
                *(Column("Weakness score", _title(name), percent=False, digits=3) for name in names),
                *(Column("Best minus naive", _title(name)) for name in names),
            ),
            rows=tuple(rows),
            num_seeds=len(seeds),
            about={**vars(options), "fingerprints": sorted({group.fingerprint for group in groups})},
        )
    ]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
