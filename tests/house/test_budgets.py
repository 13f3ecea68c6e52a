"""The rules of the house, checked over every source file."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("search_spaces", "results", "trainables", "orchestrator")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 200, 40
PRIVATE_WORDS = re.compile(r"/(?:root|work)/[a-z]")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_functions_are_short(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = [
        f"{node.name}: {length} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (length := _code_lines(node)) > LONGEST_FUNCTION
    ]
    assert not long


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_file_is_a_drawer_for_everything() -> None:
    names = {path.stem for path in SOURCES}
    assert not names & {"utils", "helpers", "common", "misc", "manager"}


def test_every_package_folder_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(project["tool"]["setuptools"]["packages"])
    folders = {shown(path.parent).replace("/", ".") for path in SOURCES}
    assert folders == listed


def test_no_text_names_a_machine() -> None:
    tracked = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True).stdout
    texts = [
        ROOT / name for name in tracked.splitlines() if not name.endswith((".png", ".parquet", ".safetensors", ".svg"))
    ]
    found = [
        shown(path)
        for path in texts
        if path.is_file() and path != Path(__file__) and PRIVATE_WORDS.search(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize("path", sorted((ROOT / "trainables" / "methods").glob("[!_]*.py")), ids=shown)
def test_a_method_is_one_small_file(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80
