"""What the documentation of results lists is what there is: tables, figures, rules, and every column of every file."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import made_up
import pyarrow as pa
import pytest

from results.figures import FIGURES
from results.missing_protocols import MISSING_PROTOCOLS
from results.parquet import logits_table, samples_bytes
from results.part_files import FACTS_SCHEMA, PART_HISTORY_SCHEMA, PART_SCORES_SCHEMA, PART_TRIALS_SCHEMA
from results.render import CELLS_SCHEMA
from results.rules import RULES
from results.schema import HISTORY_SCHEMA, read_parquet
from results.scores import SCORES_SCHEMA
from results.store import Store
from results.tables import TABLES
from results.trial_rows import TRIALS_SCHEMA
from search_spaces.catalog import Catalog

ROOT = Path(__file__).parents[2]
REPORTS, STORE, MISSING = (ROOT / "docs" / name for name in ("reports.md", "store.md", "missing.md"))


def section(path: Path, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    _, found, rest = path.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert found, heading
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table's body."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def listed(entries: Mapping[str, str]) -> str:
    return "".join(f"| `{key}` | {text} |\n" for key, text in entries.items())


def said(catalog: Catalog[object]) -> dict[str, str]:
    """Return key -> first paragraph of the file's docstring."""
    package = f"results.{catalog.kind}s"
    names = [name for name in catalog.names() if name not in catalog.added()]
    return {
        name: " ".join(str(import_module(f"{package}.{name}").__doc__).partition("\n\n")[0].split()) for name in names
    }


@pytest.mark.parametrize("catalog", [TABLES, FIGURES], ids=lambda catalog: f"{catalog.kind}s")
def test_every_table_and_figure_is_listed_in_its_own_words(catalog: Catalog[object]) -> None:
    assert listed(said(catalog)) in section(REPORTS, f"## {catalog.kind.capitalize()}s")
    assert len(rows(section(REPORTS, f"## {catalog.kind.capitalize()}s"))) == len(said(catalog))


def test_every_selection_rule_is_listed_in_its_own_words() -> None:
    assert listed({name: rule.sentence for name, rule in RULES.items()}) in section(REPORTS, "## Selection")


def test_every_missing_protocol_is_listed_in_its_own_words() -> None:
    described = rows(section(MISSING, "## The list"))
    assert described == [[f"`{key}`", one.sentence, one.source] for key, one in MISSING_PROTOCOLS.items()]


def schema_of_logits() -> pa.Schema:
    return logits_table(made_up.make_record(made_up.make_samples())).schema


def schema_of_samples() -> pa.Schema:
    return read_parquet(samples_bytes(made_up.make_samples()), "samples")[0].schema


def name_of(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return f"list of {kind.value_type}" if pa.types.is_fixed_size_list(kind) else str(kind).removeprefix("large_")


@pytest.mark.parametrize(
    ("heading", "schema"),
    [
        ("`logits.parquet`", schema_of_logits()),
        ("`history.parquet`", HISTORY_SCHEMA),
        ("`scores.parquet`", SCORES_SCHEMA),
        ("`samples.parquet`", schema_of_samples()),
        ("`plans/<sweep>.parquet`", TRIALS_SCHEMA),
        ("`compacted/<part>/trials.parquet`", pa.schema(list(PART_TRIALS_SCHEMA)[len(TRIALS_SCHEMA) :])),
        ("A table's `.csv` and `.parquet`", CELLS_SCHEMA),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_column_of_the_store_is_described(heading: str, schema: pa.Schema) -> None:
    described = rows(section(STORE, f"### {heading}"))
    assert [row[:2] for row in described] == [[f"`{field.name}`", name_of(field.type)] for field in schema]
    assert all(len(row) == 3 and row[2] for row in described)
    for field, row in zip(schema, described, strict=True):
        if "null" in row[2]:
            assert field.nullable


def test_what_is_said_of_a_compacted_part_holds() -> None:
    assert PART_TRIALS_SCHEMA.names[: len(TRIALS_SCHEMA)] == TRIALS_SCHEMA.names
    assert PART_SCORES_SCHEMA.names == ["trial_id", *SCORES_SCHEMA.names]
    assert PART_HISTORY_SCHEMA.names == ["trial_id", *HISTORY_SCHEMA.names]
    assert FACTS_SCHEMA.names == ["trial_id", "name", "value"]


def test_polars_reads_the_store_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("polars", reason="needs polars")
    store = Store(str(tmp_path / "mmpt-store"))
    records = made_up.fill(store, made_up.make_samples())
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```py\n(.*?)```", STORE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block, str(STORE), "exec"), names)
    found: object = names["scores"]
    assert set(found["trial_id"]) == {record.trial_id for record in records}  # type: ignore[index]


def test_the_example_reports_its_own_metric_table_and_figure(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    made_up.fill(store, made_up.make_samples())
    command = [sys.executable, str(ROOT / "examples" / "own_table.py"), store.root, str(tmp_path / "report")]
    shown = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, env=dict(os.environ)
    ).stdout
    assert "### Validation minus test" in shown
    assert "| mtl on toy data2s00 |" in shown
    assert "Metric: balanced accuracy." in shown
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"index.html", "validation_gap.csv", "validation_against_test.svg"} <= written
