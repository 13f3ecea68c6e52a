"""From a store to a folder of tables, figures and one page that shows them all."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from results.curves import Options
from results.drawing import Drawing, to_inline_svg, to_png, to_svg
from results.figures import FIGURES
from results.files import absolute_root
from results.frame import load
from results.metrics import metric_named
from results.page import page
from results.render import Nothing, Table, to_csv, to_json, to_markdown
from results.render_html import to_html
from results.render_latex import to_latex
from results.schema import ROUTES, SCHEMA_VERSION
from results.store import Store
from results.tables import TABLES
from search_spaces.catalog import Catalog
from search_spaces.errors import MmptError, UnknownNameError

__all__ = ["Report", "build_table", "write_report"]

_WRITERS: Mapping[str, Callable[[Table], str]] = {"md": to_markdown, "tex": to_latex, "csv": to_csv, "json": to_json}


class Report:
    """Everything a store has to show.

    Args:
        store_root: path or URL of the store; a relative path is resolved here.
        options: metric, route, selection rule, number of draws.

    Raises:
        MmptError: the store has no finished trial.
        UnknownNameError: no such metric or route.
    """

    def __init__(self, store_root: str, options: Options | None = None) -> None:
        self.options = options or Options()
        metric_named(self.options.metric)
        if self.options.route not in ROUTES:
            raise UnknownNameError("route", self.options.route, ROUTES)
        self.data = load(Store(absolute_root(store_root)))
        if not self.data.headers:
            left_out = f"; {len(self.data.corrupt)} damaged, {len(self.data.failures)} failed"
            raise MmptError(f"store {self.data.root!r} has no finished trial to report{left_out}")
        self._nothing: list[str] = []

    def write(
        self, out_dir: str | Path, tables: Sequence[str] | None = None, figures: Sequence[str] | None = None
    ) -> Path:
        """Write tables, figures and `index.html`; None means all there are. Return the path of the page.

        Raises:
            UnknownNameError: no such table or figure.
            MmptError: the folder cannot be written.
        """
        folder = Path(out_dir).absolute()
        self._nothing = []
        built_tables, built_figures = self._built(TABLES, tables), self._built(FIGURES, figures)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MmptError(f"report folder {str(folder)!r} cannot be written: {error.strerror}") from error
        shown_tables = [self._write_table(folder, table) for table in built_tables]
        shown_figures = [self._write_figure(folder, figure) for figure in built_figures]
        sections = [
            ("tables", "Tables", shown_tables),
            ("figures", "Figures", shown_figures),
            ("missing", "Missing or damaged", [self._missing()]),
            ("provenance", "Provenance", [self._provenance(folder, tables, figures)]),
        ]
        index = folder / "index.html"
        index.write_text(page("Missing Modality Performance Testbed", self._lead(), sections), encoding="utf-8")
        return index

    def left_out(self) -> list[str]:
        """Return what `write` could not show, one line each: kinds without anything, damaged and failed trials."""
        lines = list(self._nothing)
        for word, found in (("damaged", self.data.corrupt), ("failed", self.data.failures)):
            if found:
                lines.append(
                    f"left out: {len(found)} {word} trials ({', '.join(sorted(found)[:3])}, ...); see mmpt status"
                )
        return lines

    def _built(self, catalog: Catalog[Callable[..., Any]], keys: Sequence[str] | None) -> list[Any]:
        found: list[Any] = []
        for key in catalog.names() if keys is None else keys:
            built = catalog.get(key)(self.data, self.options)
            if isinstance(built, Nothing):
                self._nothing.append(f"{catalog.kind} {key}: {built.reason}")
            else:
                found.extend(built)
        return found

    def _write_table(self, folder: Path, table: Table) -> str:
        for ending, render in _WRITERS.items():
            (folder / f"{table.name}.{ending}").write_text(render(table), encoding="utf-8")
        return to_html(table)

    def _write_figure(self, folder: Path, drawing: Drawing) -> str:
        (folder / f"{drawing.name}.svg").write_bytes(to_svg(drawing))
        (folder / f"{drawing.name}.png").write_bytes(to_png(drawing))
        return (
            f'<figure id="{escape(drawing.name)}"><h3>{escape(drawing.title)}</h3><div class="scroll plot">'
            f"{to_inline_svg(drawing)}</div><figcaption>{escape(drawing.caption)}</figcaption></figure>\n"
        )

    def _lead(self) -> str:
        seeds = {record.spec.seed for record in self.data.headers.values()}
        datasets = sorted({record.spec.dataset for record in self.data.headers.values()})
        return (
            f"{len(self.data.headers)} finished trials on {', '.join(datasets)}, {len(seeds)} seeds; "
            f"{metric_named(self.options.metric).title}, route {self.options.route}. Click a column's name to sort."
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

    def _provenance(self, folder: Path, tables: Sequence[str] | None, figures: Sequence[str] | None) -> str:
        made_by = [record.facts.get("provenance", {}) for record in self.data.headers.values()]
        commits = sorted({str(one.get("git_commit") or "unknown") for one in made_by})
        packages: dict[str, set[str]] = {}
        for one in made_by:
            for package, version in one.get("packages", {}).items():
                packages.setdefault(package, set()).add(str(version))
        facts = {
            "store": self.data.root,
            "schema version": SCHEMA_VERSION,
            "selection rule": self.options.rule,
            "draws of missing modalities": self.options.num_draws,
            "git commit": ", ".join(commits),
            "packages": "; ".join(f"{name} {', '.join(sorted(found))}" for name, found in sorted(packages.items())),
        }
        rows = "".join(f"<li>{escape(name)}: <code>{escape(str(value))}</code></li>" for name, value in facts.items())
        command = escape(self._command(folder, tables, figures))
        return f"<ul>{rows}</ul><p>To make this page again, with mmpt-sweep of that commit:</p><pre>{command}</pre>"

    def _command(self, folder: Path, tables: Sequence[str] | None, figures: Sequence[str] | None) -> str:
        chosen = [("--table", key) for key in tables or ()] + [("--figure", key) for key in figures or ()]
        flags = [("--store", self.data.root), ("--out", str(folder)), ("--metric", self.options.metric)]
        return shlex.join(
            ["mmpt", "report", *(part for pair in (*flags, ("--route", self.options.route), *chosen) for part in pair)]
        )


def write_report(
    store_root: str,
    out_dir: str | Path,
    tables: Sequence[str] | None = None,
    figures: Sequence[str] | None = None,
    *,
    metric: str = "macro_f1",
    route: str = "probe",
) -> Path:
    """Write all tables (md, tex, csv, json), figures (svg, png) and a self-contained page; return the page's path.

    Raises:
        MmptError: the store has no finished trial.
        UnknownNameError: no such table, figure, metric or route.
    """
    report = Report(store_root, Options(metric=metric, route=route))
    return report.write(out_dir, tables, figures)


def build_table(store: Store, name: str, **options: Any) -> list[Table]:
    """Return one kind of table of a store; `options` are those of `results.curves.Options`.

    Raises:
        UnknownNameError: no such table.
        MmptError: the store has nothing for it; the message says what is missing.
    """
    build = TABLES.get(name)
    built = build(load(store), Options(**options))
    if isinstance(built, Nothing):
        raise MmptError(f"table {name}: {built.reason}")
    return built
