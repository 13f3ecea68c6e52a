"""Where a report's numbers come from: stores, versions, and the command that makes the same page again."""

import json
import shlex
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from results.data import StoreData
from results.options import Options
from results.schema import SCHEMA_VERSION

__all__ = ["origin_section"]


def origin_section(
    data: StoreData, options: Options, *, roots: Sequence[str], folder: Path, chosen: Sequence[tuple[str, str]]
) -> str:
    """Return the report's section on provenance as HTML.

    Args:
        data: what was read.
        options: how it was selected and scored.
        roots: of the stores.
        folder: that the report is written into.
        chosen: (flag, key) of the tables and figures asked for; empty: all.
    """
    made_by = [json.loads(text) for text in data.trials["provenance"].unique()]
    packages: dict[str, set[str]] = {}
    for one in made_by:
        for package, version in one.get("packages", {}).items():
            packages.setdefault(package, set()).add(str(version))
    facts = {
        "stores": ", ".join(roots),
        "schema version": SCHEMA_VERSION,
        "selection rule": options.rule,
        "draws of missing modalities": options.num_draws,
        "bootstrap resamples": options.num_resamples,
        "git commit": ", ".join(sorted({str(one.get("git_commit") or "unknown") for one in made_by})),
        "packages": "; ".join(f"{name} {', '.join(sorted(found))}" for name, found in sorted(packages.items())),
    }
    rows = "".join(f"<li>{escape(name)}: <code>{escape(str(value))}</code></li>" for name, value in facts.items())
    places = [("--also" if place else "--store", root) for place, root in enumerate(roots)]
    flags = [*places, ("--out", str(folder)), *_flags(options), *chosen]
    oracle = ["--allow-oracle"] if options.allow_oracle else []
    command = shlex.join(["mmpt", "report", *(part for pair in flags for part in pair), *oracle])
    return f"<ul>{rows}</ul><p>To make this page again, with mmpt-sweep of that commit:</p><pre>{escape(command)}</pre>"


def _flags(options: Options) -> Iterator[tuple[str, str]]:
    """Every option that is not the default, as the command line spells it."""
    default = Options()
    yield "--metric", options.metric
    yield "--route", options.route
    for flag, name in (
        ("--rule", "rule"),
        ("--missing", "missing"),
        ("--draws", "num_draws"),
        ("--resamples", "num_resamples"),
    ):
        if getattr(options, name) != getattr(default, name):
            yield flag, str(getattr(options, name))
    for axis, value in options.fixed:
        yield "--fix", f"{axis}={json.dumps(value)}"
    if options.compare:
        yield "--compare", options.compare
