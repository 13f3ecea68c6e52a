"""The report's script: sorts tables, and shows where a number comes from by mouse, finger or keyboard.

Without it the page still shows everything; a number's origin is then its tooltip.
"""

__all__ = ["SCRIPT"]

SCRIPT = """
"use strict";
const panel = document.getElementById("cell-origin");

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll(".names th")], body = table.tBodies[0], inOrder = [...body.rows];
  const key = (row, place) => {
    const cell = row.cells[place];
    if (place === 0) return cell.textContent;
    return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  };
  // A click sorts, a second one the other way round, a third one brings the table's own order back.
  const sort = place => {
    const ways = place ? ["descending", "ascending"] : ["ascending", "descending"];
    const way = ways[ways.indexOf(heads[place].getAttribute("aria-sort")) + 1];
    const sign = way === "ascending" ? 1 : -1;
    heads.forEach(head => head.removeAttribute("aria-sort"));
    table.classList.toggle("sorted", way !== undefined);
    if (way) heads[place].setAttribute("aria-sort", way);
    body.append(...(way ? [...inOrder].sort((first, second) => {
      const [a, b] = [key(first, place), key(second, place)];
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (a < b ? -1 : a > b ? 1 : 0);
    }) : inOrder));
  };
  heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => sort(place)));

  // One stop of the Tab key per table; arrow keys go from number to number.
  const heading = cell => {
    const group = table.querySelector(".groups");
    let place = cell.cellIndex, above = "";
    for (const one of group ? group.cells : []) {
      if (place < one.colSpan) { above = one.textContent + " "; break; }
      place -= one.colSpan;
    }
    return (above + heads[cell.cellIndex].textContent).trim();
  };
  const show = cell => {
    const row = cell.parentElement.cells[0].textContent;
    panel.querySelector("strong").textContent = `${row}, ${heading(cell)}: ${cell.textContent}`;
    panel.querySelector("p").textContent = cell.title;
    panel.hidden = false;
  };
  const stop = cell => {
    body.querySelectorAll("td[tabindex='0']").forEach(other => { other.tabIndex = -1; });
    cell.tabIndex = 0;
  };
  const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
  const neighbour = (cell, [down, right]) => {
    const rows = [...body.rows];
    let row = rows.indexOf(cell.parentElement), place = cell.cellIndex, found;
    do {
      row += down;
      place += right;
      found = rows[row]?.cells[place];
    } while (found && !found.hasAttribute("tabindex"));
    return found;
  };
  const cells = body.querySelectorAll("td[title]");
  cells.forEach((cell, place) => { cell.tabIndex = place ? -1 : 0; });
  body.addEventListener("focusin", event => { stop(event.target); show(event.target); });
  body.addEventListener("click", event => {
    const cell = event.target.closest("td[tabindex]");
    if (cell) show(cell);
  });
  body.addEventListener("keydown", event => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    neighbour(event.target, steps[event.key])?.focus();
  });
}

const close = () => { panel.hidden = true; };
panel.querySelector("button").addEventListener("click", close);
document.addEventListener("keydown", event => { if (event.key === "Escape") close(); });
document.addEventListener("click", event => {
  if (!event.target.closest("td[tabindex], #cell-origin")) close();
});

// Paper shows what is folded away on the screen.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("main details:not([open])")];
  folded.forEach(one => { one.open = true; });
});
addEventListener("afterprint", () => folded.forEach(one => { one.open = false; }));
"""
