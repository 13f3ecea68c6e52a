"""Documents that are executed: what the README and the documentation say is what happens."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import made_up
import pytest

from orchestrator.checks import CHECKS
from orchestrator.cli import EXIT_CODES, main
from results.figures import FIGURES
from results.metrics import METRICS
from results.store import Store
from results.tables import TABLES
from trainables.dataset_catalog import DATASETS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SMALL = ["--inline", "--set", "epochs=1"]


def blocks(path: Path, language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return found


def test_the_commands_of_the_readme_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `mmpt` line in order, on the smoke preset, so that it takes seconds."""
    monkeypatch.chdir(tmp_path)
    lines = [
        line
        for block in blocks(ROOT / "README.md", "console")
        for line in block.splitlines()
        if line.startswith("mmpt ")
    ]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line.replace("quickstart", "smoke"))[1:]
        extra = {"run": SMALL, "status": SMALL[1:]}.get(words[0], [])
        with pytest.raises(SystemExit) as ended:
            main([*words, *extra])
        assert ended.value.code == 0, line
    assert (tmp_path / "mmpt-report" / "index.html").exists()


@pytest.mark.parametrize("target", ["quickstart", "test"])
def test_the_make_targets_of_the_readme_exist(target: str) -> None:
    lines = [line for block in blocks(ROOT / "README.md", "console") for line in block.splitlines()]
    assert f"make {target}" in lines
    shown = subprocess.run(["make", "-C", str(ROOT), "--dry-run", target], capture_output=True, text=True, check=True)
    assert "pip install" in shown.stdout or "mmpt run" in shown.stdout or "pytest" in shown.stdout


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_in_documents_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for catalog in (METRICS, TABLES, FIGURES, DATASETS, CHECKS):  # what a document adds is gone after it
        monkeypatch.setattr(catalog, "_added", catalog.added())
    monkeypatch.setenv("MMPT_CACHE", str(tmp_path / "cache"))
    if path.parent.name == "docs":
        made_up.fill(Store(str(tmp_path / "mmpt-store")), made_up.make_samples())
    names = {"__name__": "document"}  # a document's later blocks go on from its earlier ones
    for block in blocks(path, "python"):
        exec(compile(block, str(path), "exec"), names)


def test_the_example_trains_its_own_method(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "custom_method.py"), str(tmp_path / "store")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=dict(os.environ)).stdout
    assert "12 trials to train" in said
    assert "feature_penalty" in said
    assert "| Feature penalty |" in said


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_exit_codes_of_the_documentation_are_those_of_the_program() -> None:
    listed = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(code) for code in listed] == sorted(EXIT_CODES)


def test_the_version_has_a_changelog_entry() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.*)"', project, re.MULTILINE)
    assert version
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
