"""LaTeX: every table compiles with the packages that its first line names, whatever its labels are."""

# ruff: noqa: RUF001 (letters that look like others are what is tested)

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from results.cells import Cell, empty
from results.data import load
from results.latex_text import escape
from results.options import Options
from results.render_latex import to_latex
from results.report import Report
from results.store import Store
from results.table import Column, Row, Table

needs_latex = pytest.mark.skipif(
    which("pdflatex") is None, reason="needs pdflatex (Debian: texlive-latex-base, texlive-latex-recommended)"
)
NASTY = [
    '100 % & $5 a_b #1 {x} ~ ^ \\ < > | `q\' "q"',
    "[x]",
    "*",
    " [padded]",
    "",
    "\\\\[2em]",
    "a--b---c",
    "\\end{table} \\undefined",
    "%",
    "Café Ångström Łódź Çeşme Dvořák Erdős Øre straße",
    "αβγ ΔΩ µ λ ς Ο",
    "中文 データ 한국어 🙂",
    "em — dash – en ‘q’ “q” …",
    "± × ≤ ≥ ≠ ≈ ∞ − → R² 30°",
    "two\nlines\tand\x07bell \u00a0 \u200b",
    "e\u0301 decomposed, ṩ two marks, ї",
]


def compiled(tex: str, folder: Path) -> str:
    """Compile a document that loads no more than its tables ask for; return LaTeX's log."""
    packages = "\n".join(sorted(set(re.findall(r"^% preamble: (.*)$", tex, re.MULTILINE))))
    source = folder / "document.tex"
    document = f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n{tex}\n\\end{{document}}\n"
    source.write_text(document, encoding="utf-8")
    command = [
        "pdflatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        f"-output-directory={folder}",
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, cwd=folder)
    log = (folder / "document.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-3000:]
    assert (folder / "document.pdf").stat().st_size > 0
    return log


def table_of(labels: list[str], columns: int = 2) -> Table:
    """Return a table with nasty text wherever there is text."""
    cells = [
        Cell(value=-0.125, spread=0.5, best=True, better=True),
        empty("reason"),
        Cell(text="100 % [x]", reason="said"),
    ]
    rows = [
        Row(label, tuple(cells[place % 3] for place in range(columns)), rule=bool(number % 2))
        for number, label in enumerate(labels)
    ]
    return Table(
        name="nasty_table",
        title=" ".join(labels),
        caption=" ".join(labels * 3),
        columns=tuple(
            Column(labels[place % len(labels)], labels[-1 - place % len(labels)]) for place in range(columns)
        ),
        rows=tuple(rows),
    )


@needs_latex
@pytest.mark.parametrize(
    ("labels", "columns", "packages"),
    [(NASTY, 2, "booktabs,graphicx"), (NASTY, 9, "booktabs,graphicx"), (["[x] % & a_b", "*"], 2, "booktabs")],
)
def test_nasty_text_compiles(tmp_path: Path, labels: list[str], columns: int, packages: str) -> None:
    tex = to_latex(table_of(labels, columns))
    assert tex.startswith(f"% preamble: \\usepackage{{{packages}}}\n")
    log = compiled(tex, tmp_path)
    assert "Missing character" not in log


@needs_latex
def test_every_table_compiles(filled: Store, tmp_path: Path) -> None:
    tables, _ = Report(filled, Options(num_draws=3, num_resamples=20)).build(figures=[])
    log = compiled("\n\\clearpage\n".join(map(to_latex, tables)), tmp_path)
    assert "Missing character" not in log
    assert "Overfull \\hbox" not in log
    assert len(load(filled).trials) > 0


@needs_latex
def test_a_wide_table_fits_the_page(tmp_path: Path) -> None:
    assert "Overfull \\hbox" not in compiled(to_latex(table_of(["method"], 18)), tmp_path)


@needs_latex
def test_a_narrow_table_is_not_blown_up(tmp_path: Path) -> None:
    wide = Table(
        name="t",
        title="t",
        caption="c",
        columns=tuple(Column("", "iiiiiiiiii") for _ in range(6)),
        rows=(Row("b", tuple(Cell(value=0.5) for _ in range(6))),),
    )
    box = to_latex(wide).partition("\\resizebox")[2].rpartition("\\end{table}")[0].strip()
    tabular = box.partition("{!}{%\n")[2][:-1]
    measure = f"\\sbox0{{\\resizebox{box}}}\\sbox2{{{tabular}}}\\typeout{{widths \\the\\wd0 \\the\\wd2}}"
    found = re.search(r"widths ([\d.]+)pt([\d.]+)pt", compiled(f"{to_latex(wide)}\n{measure}", tmp_path))
    assert found
    assert abs(float(found[1]) - float(found[2])) < 0.01 < float(found[1])  # TeX multiplies to 16 bits


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b & c %", r"a\_b \& c \%"),
        ("é Ł ß", r"\'{e} \L{} \ss{}"),
        ("e\u0301", r"\'{e}"),
        ("α Λ Σ λ", r"$\alpha$ $\Lambda$ $\Sigma$ $\lambda$"),
        ("中", r"\texttt{U+4E2D}"),
        ("🙂", r"\texttt{U+1F642}"),
        ("a--b", "a-{}-b"),
        ("a — b", "a --- b"),
        ("  two\n lines ", "two lines"),
        ("x | y", r"x \textbar{} y"),
    ],
)
def test_text_is_spelled_with_commands_of_latex_itself(text: str, shown: str) -> None:
    assert escape(text) == shown
    assert escape(text).isascii()


def test_a_minus_is_a_minus() -> None:
    assert r"\underline{\textbf{$-$12.5}}" in to_latex(table_of(["x"]))
