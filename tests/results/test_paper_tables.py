"""The paper's own numbers through the code that shows a user's: tables 1, 2 and 3 come out as printed."""

import json
from pathlib import Path
from typing import Any

import pytest

from results.options import Options
from results.published_source import as_data
from results.table import Table
from results.tables import TABLES

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "mmpt_tables.json").read_text(encoding="utf-8")
)
METHODS = ("Naive", "Unimodal", "Dropout", "MTL", "G-Blend", "OGM-GE", "UMT")
MISPRINT = ("late", "Crisis-MMD", "m1")


def tables(name: str, *numbers: int) -> list[Table]:
    built = TABLES.get(name)(as_data("mmpt", numbers), Options(num_resamples=0))
    assert isinstance(built, list)
    return built


def shown(table: Table) -> dict[tuple[str, str, str], str]:
    """Return (row, column group, column) -> the text in the cell."""
    return {
        (row.label, column.group, column.name): table.plain(column, cell)
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }


def other_than_image(texts: dict[tuple[str, str, str], str], group: str) -> str:
    """Return the name of the data set's first modality: audio or text."""
    (name,) = {name for _, found, name in texts if found == group} - {"Both", "Image"}
    return name


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_tables_1_and_2_are_printed_as_in_the_paper(fusion: str) -> None:
    (table,) = [table for table in tables("mmpt_profile", 1, 2) if table.about["fusion"] == fusion]
    texts = shown(table)
    assert [row.label for row in table.rows] == list(METHODS)
    for method in METHODS:
        for dataset, printed in zip(GOLDEN["datasets"], GOLDEN[fusion][method], strict=True):
            names = ("Both", other_than_image(texts, dataset), "Image")
            expected = ["-" if number is None else f"{number:.1f}" for number in printed]
            assert [texts[method, dataset, name] for name in names] == expected
    best = {
        (dataset, name): max(GOLDEN[fusion][method][place][column] or 0 for method in METHODS)
        for place, dataset in enumerate(GOLDEN["datasets"])
        for column, name in enumerate(("Both", other_than_image(texts, dataset), "Image"))
    }
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell.value is not None:
                assert cell.best == (f"{best[column.group, column.name]:.1f}" == column.number(cell.value))


def test_table_3_is_printed_as_in_the_paper_but_for_the_known_misprint() -> None:
    (table,) = tables("weakness", 1, 2, 3)
    texts = shown(table)
    differing = []
    for fusion in ("late", "early"):
        for expected in GOLDEN["derived"][fusion]:
            row = f"{expected['dataset']}, {fusion} fusion"
            first = "Audio" if expected["dataset"] == "AV-MNIST" else "Text"
            assert texts[row, "Weakness score", first] == f"{expected['printed_weakness']:.3f}"
            for name, modality in (("m1", first), ("image", "Image")):
                text = texts[row, "Best minus naive", modality]
                assert text == f"{expected[f'{name}_improvement']:.1f}"
                if text != f"{expected[f'printed_{name}']:.1f}":
                    differing.append((fusion, expected["dataset"], name))
    assert differing == [MISPRINT]
