"""The look of the report: one HTML page with everything inside, no network, for desk and phone."""

from collections.abc import Sequence
from html import escape

__all__ = ["page", "section"]

_STYLE = """
:root { --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4; --paper: #fff; --tint: #f4f6f8; --accent: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #333a43; --paper: #15181c; --tint: #1e2329; --accent: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.8rem, 3vw, 2.5rem); max-width: 76rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; margin: 0; } h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
h2 { border-bottom: 1px solid var(--line); padding-bottom: .3rem; } h3 { margin: 1.2rem 0 .5rem; font-size: 1rem; }
.lead, figcaption, .reasons { color: var(--soft); font-size: .85rem; max-width: 65rem; }
nav a { margin-right: 1rem; color: var(--accent); }
figure { margin: 0 0 2rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; margin-bottom: .5rem; }
thead { border-top: 2px solid var(--ink); border-bottom: 1px solid var(--ink); }
tbody { border-bottom: 2px solid var(--ink); } tbody tr:nth-child(even) { background: var(--tint); }
th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap; font-weight: 400; }
tr > :first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
tbody tr:nth-child(even) > :first-child { background: var(--tint); }
.groups th { text-align: center; font-weight: 600; border-bottom: 1px solid var(--line); }
.names button { all: unset; cursor: pointer; font-weight: 600; }
.names th[aria-sort=descending]::after { content: " \\2193"; }
.names th[aria-sort=ascending]::after { content: " \\2191"; }
.names button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.names th:first-child button { color: var(--soft); } tr.rule > * { border-top: 1px solid var(--soft); }
td b { font-weight: 400; } td.best b { font-weight: 700; } td.better b { text-decoration: underline; }
td.better b { text-underline-offset: 3px; }
.spread { color: var(--soft); font-size: .75rem; } .empty { color: var(--soft); }
.plot { background: #fff; border-radius: .4rem; } .plot svg { max-width: 100%; height: auto; }
code, pre { font: .82rem/1.5 ui-monospace, monospace; background: var(--tint); }
pre { padding: .8rem; overflow-x: auto; }
@media print { .names button { cursor: auto; } .scroll { overflow: visible; } }
"""

_SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll(".names th")], body = table.tBodies[0];
  const key = (row, place) => {
    const cell = row.cells[place];
    if (place === 0) return cell.textContent;
    return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  };
  const sort = place => {
    const up = heads[place].getAttribute("aria-sort") === (place ? "descending" : "ascending") ? !place ? false : true
      : !place;
    for (const row of body.rows) row.classList.remove("rule");
    heads.forEach(head => head.removeAttribute("aria-sort"));
    heads[place].setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...[...body.rows].sort((first, second) => {
      const [a, b] = [key(first, place), key(second, place)];
      if (a === null || b === null) return (a === null) - (b === null);
      return (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1);
    }));
  };
  heads.forEach((head, place) => {
    head.querySelector("button").addEventListener("click", () => sort(place));
  });
}
"""


def section(name: str, title: str, parts: Sequence[str]) -> str:
    """Return a section with a heading that the page's navigation can point at."""
    return f'<section id="{escape(name)}"><h2>{escape(title)}</h2>\n{"".join(parts)}</section>\n'


def page(title: str, lead: str, sections: Sequence[tuple[str, str, Sequence[str]]]) -> str:
    """Return the whole page from (name, title, HTML parts) of its sections; `lead` is plain text."""
    links = "".join(f'<a href="#{escape(name)}">{escape(heading)}</a>' for name, heading, _ in sections)
    body = "".join(section(*one) for one in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p><nav>{links}</nav></header>\n'
        f"<main>\n{body}</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )
