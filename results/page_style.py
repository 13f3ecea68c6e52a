"""The report's style sheet: light, dark and print; nothing but a table's own box ever scrolls sideways."""

__all__ = ["STYLE"]

STYLE = """
:root { --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4; --paper: #fff; --tint: #f4f6f8; --accent: #0067a3;
  color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #333a43; --paper: #15181c; --tint: #1e2329; --accent: #56b4e9; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.2rem; }
body { margin: 0 auto; padding: 1.5rem clamp(.8rem, 2.5vw, 2rem) 4rem; max-width: 86rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { margin: 1.2rem 0 .5rem; font-size: 1rem; }
.lead, figcaption, .reasons, .files { color: var(--soft); font-size: .85rem; max-width: 65rem; }
.bar { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 0 1.2rem; padding: .5rem 0;
  background: var(--paper); border-bottom: 1px solid var(--line); font-size: .9rem; }
.contents { display: grid; gap: .3rem 2rem; margin-top: 1rem; font-size: .9rem; }
.contents ul { columns: 20rem auto; column-gap: 2rem; margin: .2rem 0 .6rem; padding-left: 1.2rem; }
.contents li { break-inside: avoid; padding: .1rem 0; }
summary { cursor: pointer; } .contents summary { font-weight: 600; }
.files { margin: .3rem 0 0; } .files a { margin-right: .7rem; }
figure { margin: 0 0 2.2rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; margin-bottom: .5rem; }
thead { border-top: 2px solid var(--ink); border-bottom: 1px solid var(--ink); }
tbody { border-bottom: 2px solid var(--ink); }
tbody tr { background: var(--paper); } tbody tr:nth-child(even) { background: var(--tint); }
th, td { padding: .35rem .55rem; text-align: right; white-space: nowrap; font-weight: 400; overflow-wrap: normal; }
tr > :first-child { text-align: left; position: sticky; left: 0; background: inherit; white-space: normal;
  min-width: 8rem; max-width: 24rem; }
thead tr { background: var(--paper); }
.groups th { text-align: center; font-weight: 600; border-bottom: 1px solid var(--line); }
.names button { all: unset; cursor: pointer; font-weight: 600; }
.names button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.names th[aria-sort=descending]::after { content: " \\2193"; }
.names th[aria-sort=ascending]::after { content: " \\2191"; }
.names th:first-child button { color: var(--soft); }
table:not(.sorted) tr.rule > * { border-top: 1px solid var(--soft); }
td[tabindex] { cursor: pointer; } td[tabindex]:focus { outline: 2px solid var(--accent); outline-offset: -2px; }
td b { font-weight: 400; } td.best b { font-weight: 700; }
td.better b { text-decoration: underline; text-underline-offset: 3px; }
.spread { color: var(--soft); font-size: .83em; } .empty { color: var(--soft); }
.plot { background: #fff; border-radius: .4rem; margin-bottom: .4rem; }
.plot svg { display: block; max-width: 100%; height: auto; }
code, pre { font: .82rem/1.5 ui-monospace, monospace; background: var(--tint); }
pre { padding: .8rem; overflow-x: auto; }
#cell-origin { position: fixed; z-index: 3; left: 50%; transform: translateX(-50%); bottom: 0; width: min(100%, 46rem);
  max-height: 45vh; overflow-y: auto; padding: .8rem 3rem .8rem 1rem; background: var(--tint); font-size: .85rem;
  border: 1px solid var(--line); border-top: 3px solid var(--accent); box-shadow: 0 -4px 16px #0004; }
#cell-origin[hidden] { display: none; }
#cell-origin p { margin: .2rem 0 0; white-space: pre-line; }
#cell-origin button { all: unset; position: absolute; top: 0; right: 0; padding: .5rem 1rem; font-size: 1.4rem;
  cursor: pointer; }
#cell-origin button:focus-visible { outline: 2px solid var(--accent); outline-offset: -4px; }
@media (max-width: 40rem) {
  th, td { padding: .35rem .45rem; } table { font-size: .82rem; }
  tr > :first-child { min-width: 6.5rem; max-width: 9rem; }
  .bar { gap: 0 .9rem; font-size: .82rem; } .groups th { text-align: left; }
  .contents ul { columns: auto; } .contents li { padding: .3rem 0; }
}
@page { margin: 12mm; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --tint: #f4f6f8; --accent: #000; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  .bar, .contents, .files, #cell-origin { display: none; }
  .scroll { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .15rem .3rem; }
  .plot svg { min-width: 0 !important; } figure { break-inside: avoid; } h2, h3 { break-after: avoid; }
}
"""
