"""From one or more stores to a folder of tables, figures and one page that shows them all."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from results import drawing, render
from results.data import load
from results.drawing import Drawing
from results.figures import FIGURES
from results.files import absolute_root
from results.header import CorruptTrialError
from results.metrics import metric_named
from results.options import Options
from results.page import Block, Section, page
from results.render_html import figure_block, table_block
from results.render_latex import to_latex
from results.report_origin import origin_section
from results.rules import rule_named
from results.store import Store
from results.table import Nothing, Table
from results.tables import FIRST, TABLES
from search_spaces.catalog import Catalog
from search_spaces.errors import MmptError

__all__ = ["Report", "build_table", "write_report"]

_TEXTS: Mapping[str, Callable[[Table], str]] = {
    "md": render.to_markdown,
    "tex": to_latex,
    "csv": render.to_csv,
    "json": render.to_json,
}
Keys = Sequence[str] | None
Stores = str | Store | Sequence[str | Store]
"""One store or several, each opened already or given by its path or URL."""


class Report:
    """Everything that stores have to show.

    Args:
        stores: one store or several, opened or by path or URL; a relative path is resolved here.
        options: metric, route, selection rule and so on.

    Attributes:
        data: what was read. A trial that turns out to be damaged while a table is made moves to `data.corrupt`.

    Raises:
        MmptError: there is no finished trial, or the stores disagree about one.
    """

    def __init__(self, stores: Stores, options: Options | None = None) -> None:
        self.options = options or Options()
        given = [stores] if isinstance(stores, str | Store) else list(stores)
        opened = [store if isinstance(store, Store) else Store(absolute_root(store)) for store in given]
        for store in opened:
            if not store.files.exists("store.json") and not store.trial_ids():
                raise MmptError(f"there is no store at {store.root!r}")
        self.roots = [store.root for store in opened]
        self.data = load(*opened)
        if self.data.trials.empty:
            left_out = f"; {len(self.data.corrupt)} damaged, {len(self.data.failures)} failed"
            raise MmptError(f"store {', '.join(map(repr, self.roots))} has no finished trial to report{left_out}")
        self._nothing: list[str] = []

    def build(self, tables: Keys = None, figures: Keys = None) -> tuple[list[Table], list[Drawing]]:
        """Return tables and figures; None means all there are, which costs more than a choice.

        Raises:
            UnknownNameError: no such table, figure or selection rule.
            InvalidValueError: the options do not fit each other, for instance an oracle that was not allowed.
        """
        while True:
            try:
                made_tables, no_table = self._built(TABLES, tables)
                made_figures, no_figure = self._built(FIGURES, figures)
            except CorruptTrialError as error:
                if error.trial_id not in self.data.trials.index:
                    raise
                self.data = self.data.without(error.trial_id, str(error))
                continue
            self._nothing = [*no_table, *no_figure]
            return made_tables, made_figures

    def write(self, out_dir: str | Path, tables: Keys = None, figures: Keys = None) -> Path:
        """Write tables, figures and `index.html`; None means all there are. Return the path of the page.

        Raises:
            UnknownNameError, InvalidValueError: see `build`.
            MmptError: the folder cannot be written.
        """
        folder = Path(out_dir).absolute()
        made_tables, made_figures = self.build(tables, figures)
        chosen = [("--table", key) for key in tables or ()] + [("--figure", key) for key in figures or ()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shown_tables = [_write_table(folder, table) for table in made_tables]
            shown_figures = [_write_figure(folder, figure) for figure in made_figures]
            origin = origin_section(self.data, self.options, roots=self.roots, folder=folder, chosen=chosen)
            sections = [
                Section("tables", "Tables", shown_tables),
                Section("figures", "Figures", shown_figures),
                Section("missing", "Missing or damaged", html=self._missing()),
                Section("provenance", "Provenance", html=origin),
            ]
            index = folder / "index.html"
            index.write_text(page("Missing Modality Performance Testbed", self._lead(), sections), encoding="utf-8")
        except OSError as error:
            raise MmptError(f"report folder {str(folder)!r} cannot be written: {error.strerror}") from error
        return index

    def left_out(self) -> list[str]:
        """Return what `write` could not show, one line each: kinds without anything, damaged and failed trials."""
        lines = list(self._nothing)
        for word, found in (("damaged", self.data.corrupt), ("failed", self.data.failures)):
            if found:
                plural = "" if len(found) == 1 else "s"
                lines.append(f"left out: {len(found)} {word} trial{plural} ({', '.join(sorted(found)[:3])})")
        return lines

    def _built(self, catalog: Catalog[Callable[..., Any]], keys: Keys) -> tuple[list[Any], list[str]]:
        found: list[Any] = []
        nothing: list[str] = []
        for key in _in_order(catalog.names()) if keys is None else keys:
            built = catalog.get(key)(self.data, self.options)
            if isinstance(built, Nothing):
                nothing.append(f"{catalog.kind} {key}: {built.reason}")
            else:
                found.extend(built)
        return found, nothing

    def _lead(self) -> str:
        trials = self.data.trials
        return (
            f"{len(trials)} finished trials on {', '.join(sorted(set(trials['dataset'])))}, "
            f"{trials['seed'].nunique()} seeds; {metric_named(self.options.metric).title}, route {self.options.route}. "
            f"Selection: {self.options.rule}. {rule_named(self.options.rule).sentence} Click a column's name to sort, "
            "and any number to see which trials it comes from; arrow keys lead to the next one."
        )

    def _missing(self) -> str:
        damaged = [f"trial {trial_id} is damaged: {problem}" for trial_id, problem in self.data.corrupt.items()]
        failed = [
            f"trial {trial_id} failed ({failure.spec.get('method')} on {failure.spec.get('dataset')}): {failure.error}"
            for trial_id, failure in self.data.failures.items()
        ]
        lines = [*self._nothing, *damaged, *failed]
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        return f"<ul>{items}</ul>" if lines else "<p>Nothing: every trial of the store could be read.</p>"


def _in_order(names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))


def _write_table(folder: Path, table: Table) -> Block:
    for ending, text in _TEXTS.items():
        (folder / f"{table.name}.{ending}").write_text(text(table), encoding="utf-8")
    (folder / f"{table.name}.parquet").write_bytes(render.to_parquet(table))
    return table_block(table, [*_TEXTS, "parquet"])


def _write_figure(folder: Path, made: Drawing) -> Block:
    (folder / f"{made.name}.svg").write_bytes(drawing.to_svg(made))
    (folder / f"{made.name}.png").write_bytes(drawing.to_png(made))
    (folder / f"{made.name}.json").write_text(drawing.to_json(made), encoding="utf-8")
    return figure_block(made, ["svg", "png", "json"])


def write_report(
    stores: Stores, out_dir: str | Path, tables: Keys = None, figures: Keys = None, **options: Any
) -> Path:
    """Write all tables, figures and a self-contained page; return the page's path.

    `options` are those of `results.options.Options`.

    Raises:
        MmptError: there is no finished trial.
        UnknownNameError: no such table, figure, metric, route or rule.
    """
    return Report(stores, Options(**options)).write(out_dir, tables, figures)


def build_table(stores: Stores, name: str, **options: Any) -> list[Table]:
    """Return one kind of table; `options` are those of `results.options.Options`.

    Raises:
        UnknownNameError: no such table.
        MmptError: there is nothing for it; the message says what is missing.
    """
    report = Report(stores, Options(**options))
    tables, _ = report.build([name], [])
    if not tables:
        raise MmptError("; ".join(report.left_out()))
    return tables
