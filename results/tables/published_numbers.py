"""The tables of a paper's numbers beside one's own, where both score one method in one place; nothing is ranked."""

import pandas as pd

from results.candidates import Group
from results.cells import Cell, empty
from results.data import StoreData
from results.layout import caption, dataset_title, draws_sentence
from results.options import Options
from results.published import PAPERS, misprints, published, read_table
from results.published_places import places_of, printed_cells
from results.systems import Systems, systems_of
from results.table import Column, Nothing, Row, Table
from search_spaces.missing_rates import INDEPENDENT
from search_spaces.modality import Pattern

__all__ = ["build"]

_INDEPENDENT = (
    " Yours: modalities go missing independently of each other; the paper may have drawn them in another way."
)


def build(data: StoreData, options: Options) -> list[Table] | Nothing:
    """Return one table per printed table, data set and fusion of which the store has at least one number."""
    if not options.compare:
        return Nothing("no paper to compare with was asked for (--compare)")
    systems = systems_of(data, options)
    printed = published(options.compare)
    scored = printed[printed["metric"] == options.metric]
    known = _named(options.compare, "dataset")["modalities"].map(Pattern.from_key).to_dict()
    tables: list[Table] = []
    for group in sorted({group._replace(p_train="0", missing=INDEPENDENT, method="") for group in systems.groups}):
        own = scored[(scored["dataset"] == group.dataset) & (scored["fusion"] == group.fusion)]
        if known.get(group.dataset) == Pattern(systems.modalities(group)):
            tables += [
                _table(systems, group, number, own[own["table"] == number]) for number in sorted(set(own["table"]))
            ]
    tables = [table for table in tables if any(cell.origin.trial_ids for row in table.rows for cell in row.cells)]
    return tables or Nothing(_no_match(systems, printed, scored))


def _table(systems: Systems, group: Group, number: int, printed: pd.DataFrame) -> Table:
    options, modalities = systems.options, systems.modalities(group)
    places = list(dict.fromkeys(places_of(printed)))
    rows = _rows(systems, group, number, printed)
    seeds = {seed for row in rows for cell in row.cells for seed in cell.origin.seeds}
    digits = 1 if all(round(1000 * value, 6).is_integer() for value in printed["value"]) else 2
    drawn = (
        ""
        if places[0].available
        else f" {draws_sentence(options)}{_INDEPENDENT if options.missing == INDEPENDENT else ''}"
    )
    return Table(
        name=f"published_{options.compare}_{number}_{group.dataset}_{group.fingerprint[:8]}_{group.fusion}",
        title=f"Table {number} of {options.compare.upper()} and yours: "
        f"{dataset_title(systems.data, group, systems.groups)}, {group.fusion} fusion",
        caption=f"{caption(systems, [group], seeds)}{drawn} {_words(options.compare, number)}",
        columns=tuple(
            Column(place.heading(modalities), name, digits=digits)
            for place in places
            for name in ("Yours", "Published", "Difference")
        ),
        rows=rows,
        num_seeds=len(seeds),
        about={
            **vars(options),
            "paper": PAPERS[options.compare],
            "table": number,
            **{name: getattr(group, name) for name in ("dataset", "fingerprint", "fusion")},
        },
    )


def _rows(systems: Systems, group: Group, number: int, printed: pd.DataFrame) -> tuple[Row, ...]:
    paper = systems.options.compare
    numbers = printed_cells(printed, f"table {number} of {PAPERS[paper]}")
    titles = _named(paper, "method")["title"]
    places = list(dict.fromkeys(places_of(printed)))
    rows = []
    for method in dict.fromkeys(printed["method"]):
        own = systems.data.title("method", method)
        title = own if own != method else str(titles.get(method, method))
        blank = empty(f"{title}: the paper prints no such number")
        cells = [
            _side_by_side(place.cell(systems, group._replace(method=method)), numbers.get((method, place), blank))
            for place in places
        ]
        rows.append(Row(title, tuple(cell for trio in cells for cell in trio), key=method))
    return tuple(rows)


def _side_by_side(yours: Cell, theirs: Cell) -> tuple[Cell, Cell, Cell]:
    if yours.value is None or theirs.value is None:
        return yours, theirs, yours if yours.value is None else theirs
    return yours, theirs, Cell(value=yours.value - theirs.value, origin=yours.origin)


def _words(paper: str, number: int) -> str:
    """Return where the published numbers are from, why they are no rivals, and what is misprinted among them."""
    known = [misprint for misprint in misprints(paper) if misprint.table == number]
    listed = "; ".join(f"{one.where}: {round(100 * one.printed, 6):g}. {one.note.rstrip('.')}" for one in known)
    return (
        f'Published: as printed in table {number} of "{PAPERS[paper]}". Difference: yours less published, in points. '
        "Data, encoders, preprocessing and selection may differ, and in several cases published numbers were selected "
        "on the test set; the two stand beside each other and are not ranked. Standard deviation of yours over seeds, "
        f"of the published as printed.{f' Known misprints of the table: {listed}.' if listed else ''}"
    )


def _named(paper: str, kind: str) -> pd.DataFrame:
    """Return a paper's names of its methods or data sets, by key."""
    names = read_table("names")
    return names[(names["paper"] == paper) & (names["kind"] == kind)].set_index("key")


def _no_match(systems: Systems, printed: pd.DataFrame, scored: pd.DataFrame) -> str:
    """Say what the paper prints, and what the store has instead."""
    paper, metric = systems.options.compare, systems.options.metric
    if scored.empty:
        return f"{paper} prints no {metric}; it prints {', '.join(sorted(set(printed['metric'])))}"
    places = scored[["dataset", "fusion"]].drop_duplicates().groupby("dataset")["fusion"]
    known = "; ".join(f"{dataset} ({', '.join(sorted(found))} fusion)" for dataset, found in places)
    own = {f"{one.dataset} of {' and '.join(systems.modalities(one))} ({one.fusion} fusion)" for one in systems.groups}
    has = "; ".join(sorted(own)) or "nothing"
    return f"{paper} prints {metric} on {known}; of that the store has no number: it has {has}"
